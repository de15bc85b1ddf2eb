// What the page asks of Python: a numbered queue that keeps an entry until it was acknowledged, because
// single triggers lose values in bursts.

export class Asked {
  constructor(data) {
    this.session = data.session;
    this.seq = data.ack;
    this.queue = [];
  }

  // Takes what Python has acknowledged; true when a new session of the server begins its numbers again.
  heard({ data, setStateValue }) {
    this.setState = setStateValue;
    const anew = data.session !== this.session;
    if (anew) Object.assign(this, { session: data.session, seq: data.ack, queue: [] });
    this.queue = this.queue.filter((entry) => entry[0] > data.ack);
    this.seq = Math.max(this.seq, data.ack);
    return anew;
  }

  get settled() {
    return this.queue.length === 0;
  }

  ask(...what) {
    this.seq += 1;
    this.queue.push([this.seq, ...what]);
    this.setState('queue', this.queue.slice());
  }
}
