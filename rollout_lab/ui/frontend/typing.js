// Hands what is typed into the manifest's text area to Python after a short rest, not only when it loses focus.

const REST = 700; // ms without a key
const AREA = '[class*="st-key-editor"] textarea';

export class Typing {
  constructor() {
    this.onInput = (event) => {
      const area = event.target;
      if (!area?.matches?.(AREA)) return;
      clearTimeout(this.later);
      this.later = setTimeout(() => {
        if (area.isConnected) area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', ctrlKey: true, bubbles: true }));
      }, REST);
    };
    document.addEventListener('input', this.onInput);
  }

  close() {
    clearTimeout(this.later);
    document.removeEventListener('input', this.onInput);
  }
}
