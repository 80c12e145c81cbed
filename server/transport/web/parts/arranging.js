const DRAG_FROM_PX = 6;

/**
 * Let the cells of a ticket be moved: dragged by mouse, pen or finger; or one chosen and then its
 * new place, by click, tap, Enter or Space; Escape lets go.
 * @param {HTMLElement[]} cells
 * @param {{swap: (from: number, to: number) => void, hold: (cell: number | null) => void}} on
 *   `hold` says which cell is chosen
 */
export function makeArrangeable(cells, { swap, hold }) {
  let held = null;
  const take = (cell) => {
    held = cell;
    hold(cell);
  };
  const press = (cell) => {
    if (held === null) return take(cell);
    const from = held;
    take(null);
    if (from !== cell) swap(from, cell);
  };
  cells.forEach((cell, index) => {
    cell.addEventListener("click", () => press(index));
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && held !== null) take(null);
    });
    makeDraggable(cell, (over) => {
      const to = cells.indexOf(over);
      take(null);
      if (to >= 0 && to !== index) swap(index, to);
    });
  });
}

/** Follow a pointer; `drop` gets the cell it let go over, or null. A drag is no click. */
function makeDraggable(cell, drop) {
  let start = null;
  const isDragged = () => cell.classList.contains("dragged");
  const end = (over) => {
    if (start === null) return;
    start = null;
    if (!isDragged()) return;
    cell.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => cell.removeEventListener("click", swallow, { capture: true }));
    letGo(cell);
    drop(over);
  };
  cell.addEventListener("pointerdown", (event) => {
    if (event.button === 0) start = event;
  });
  cell.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    if (!isDragged() && Math.hypot(x, y) < DRAG_FROM_PX) return;
    cell.setPointerCapture(event.pointerId);
    cell.classList.add("dragged");
    cell.style.translate = `${x}px ${y}px`;
    light(cell, under(event));
  });
  cell.addEventListener("pointerup", (event) => end(under(event)));
  cell.addEventListener("pointercancel", () => end(null));
  // What the page does not use of a finger's quick move is a fling to the browser, and a tap only
  // stops a fling.
  cell.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
}

const swallow = (event) => {
  event.stopImmediatePropagation();
  event.preventDefault();
};

/** The cell below the dragged one, which lets the pointer through (CSS). */
const under = (event) =>
  document.elementFromPoint(event.clientX, event.clientY)?.closest(".cell") ?? null;

function light(dragged, over) {
  for (const cell of dragged.parentElement.children) {
    cell.classList.toggle("target", cell === over && cell !== dragged);
  }
}

function letGo(cell) {
  cell.classList.remove("dragged");
  cell.style.translate = "";
  light(cell, null);
}
