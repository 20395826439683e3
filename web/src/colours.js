// The page's colours, for what is drawn on canvases.

let known = null;

/** Ink, soft ink, lines, paper, and one colour per class; from the style sheet, light or dark. */
export function colours() {
  if (!known) {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    const classes = Array.from({ length: 10 }, (_, index) => of(`c${index}`));
    known = { ink: of("ink"), soft: of("soft"), faint: of("faint"), paper: of("paper"), accent: of("accent"), classes };
  }
  return known;
}

/** Calls `redraw` when the reader turns the lights on or off. */
export function onTheme(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    known = null;
    redraw();
  });
}
