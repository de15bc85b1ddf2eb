// Where everything of the routing picture stands. Pure: sizes in, positions out, all in CSS pixels.

const NARROW = 600;
const NARROW_GATE = 680; // with a gateway there is a column more

// The least width at which a gateway stands beside the Services and not above them.
export const GATE_WIDTH = 740;

// `pods` is {set: highest used place + 1}; `ends` {service: arrows from the gateway}, null without one. The
// answer holds boxes for gate, services and sets, and a `place(set, index)` for the Pods.
export function layout(width, serviceIds, setIds, pods, ends = null) {
  const narrow = width < (ends ? NARROW_GATE : NARROW);
  const box = ends ? gated(width, narrow, Math.max(1, ...Object.values(ends))) : plain(width, narrow);
  const most = Math.max(1, ...Object.values(pods));
  const { left } = box;
  const rest = width - left - box.service - box.set;
  const labelled = !narrow && most <= 4 && (ends ? rest >= 250 : width >= 640);
  const least0 = narrow ? 12 : ends ? 26 : 40;
  const space = Math.max(least0, (rest - podWidth(most, narrow, labelled)) / 2);
  const setX = Math.round(left + box.service + space * (narrow || ends ? 1 : 1.12));
  const podX = Math.round(setX + box.set + space * (narrow || ends ? 1 : 0.7));
  const cell = podCell(most, narrow, labelled);
  const columns = labelled ? 1 : Math.max(1, Math.floor((width - podX) / cell.size));

  const rows = Math.max(2, setIds.length);
  const least = Math.max(box.setHeight, serviceIds.length > 1 ? box.serviceHeight : 0);
  const heights = Array.from({ length: rows }, (_, i) => {
    const count = setIds[i] === undefined ? 0 : pods[setIds[i]] || 0;
    return Math.max(least, Math.ceil(count / columns) * cell.size);
  });
  const sets = new Map();
  const head = box.head;
  let y = 6 + head;
  heights.forEach((height, i) => {
    if (setIds[i] !== undefined) {
      sets.set(setIds[i], { x: setX, y: y + (height - box.setHeight) / 2, w: box.set, h: box.setHeight, top: y, height });
    }
    y += height + box.gap;
  });
  const height = y - box.gap + 6;

  const services = new Map();
  const inRows = serviceIds.length === setIds.length && serviceIds.length > 1;
  serviceIds.forEach((id, i) => {
    const slot = (height - head) / serviceIds.length;
    const home = inRows ? sets.get(setIds[i]) : null; // level rows where there is one set for each Service
    const top = home ? home.y + (home.h - box.serviceHeight) / 2 : head + slot * i + (slot - box.serviceHeight) / 2;
    services.set(id, { x: 1 + left, y: Math.round(Math.max(2, top)), w: box.service, h: box.serviceHeight });
  });

  const place = (set, index) => {
    const home = sets.get(set);
    if (!home) return null;
    const count = Math.max(1, pods[set] || 1);
    const lines = Math.ceil(count / columns);
    const top = home.top + (home.height - lines * cell.size) / 2;
    return {
      x: podX + (index % columns) * cell.size + cell.size / 2,
      y: top + Math.floor(index / columns) * cell.size + cell.size / 2,
      r: cell.r,
      labelled,
      room: width - podX - cell.size / 2 - cell.r - 13, // for a label, to the right edge
    };
  };
  const gate = ends && (narrow ? { x: 1, y: 4, w: width - 2, h: head - 22 } : standing(box, height));
  return { narrow, columns, height, gate, services, sets, place };
}

function plain(width, narrow) {
  if (narrow) return { service: 126, set: 108, serviceHeight: 124, setHeight: 100, gap: 10, left: 0, head: 0 };
  return {
    service: Math.round(Math.min(268, Math.max(260, width * 0.285))),
    set: Math.round(Math.min(204, Math.max(160, width * 0.21))),
    serviceHeight: 80,
    setHeight: 74,
    gap: 22,
    left: 0,
    head: 0,
  };
}

// With a gateway: a column for it and room for the words on its arrows; in a narrow picture it stands above.
function gated(width, narrow, most) {
  if (narrow) return { service: 133, set: 100, serviceHeight: 88 + 17 * most, setHeight: 100, gap: 10, left: 27, head: 92 };
  const gate = Math.round(Math.min(168, Math.max(136, width * 0.155)));
  const words = Math.round(Math.min(200, Math.max(142, width * 0.19)));
  return {
    gate,
    service: Math.round(Math.min(190, Math.max(154, width * 0.18))),
    set: Math.round(Math.min(196, Math.max(166, width * 0.19))),
    serviceHeight: Math.max(92, 38 * most + 6),
    setHeight: 74,
    gap: 22,
    left: gate + words,
    head: 0,
  };
}

// In the middle, and a little lower where the users above it need the room.
function standing(box, height) {
  const h = 112;
  return { x: 1, y: Math.round(Math.min(height - h - 3, Math.max(46, (height - h) / 2 + 8))), w: box.gate, h };
}

function podWidth(most, narrow, labelled) {
  if (labelled) return 168; // the longest reason of a Pod: ImagePullBackOff
  if (narrow) return most > 12 ? 110 : most > 2 ? 64 : 34;
  return most > 12 ? 260 : 150;
}

function podCell(most, narrow, labelled) {
  if (labelled) return { r: 11, size: 34 };
  if (most <= 6) return narrow ? { r: 10, size: 30 } : { r: 10, size: 32 };
  if (most <= 20) return { r: 8, size: 24 };
  return narrow ? { r: 5, size: 15 } : { r: 6, size: 18 };
}

// A band from the right edge of one box to the left edge of another.
export function band(x1, y1, x2, y2) {
  const middle = (x1 + x2) / 2;
  return `M${x1},${y1.toFixed(1)}C${middle},${y1.toFixed(1)} ${middle},${y2.toFixed(1)} ${x2},${y2.toFixed(1)}`;
}

export const WIDEST = 14;

export function bandWidth(share, widest = WIDEST) {
  return share === null || share === undefined ? 2 : Math.max(2, share * widest);
}
