// Items of a list moved with a pointer: mouse, pen or finger. Buttons do the same from the keyboard.

/**
 * Follows the pointer that went down on the handle of an item until it is let go.
 *
 * `items` are the elements of the list in order, `from` the number of the one that is dragged. `moved(from, to)` is
 * called once, at the end, if the item has another place then. Escape puts it back.
 */
export function follow(event, items, from, moved) {
  if (event.button !== 0) return;
  event.preventDefault();
  const handle = event.currentTarget;
  const dragged = items[from];
  const boxes = items.map((item) => item.getBoundingClientRect());
  const startY = event.clientY + window.scrollY;
  const gap = boxes.length > 1 ? boxes[1].top - boxes[0].bottom : 0;
  let to = from;

  const place = (pointer) => {
    const by = pointer.clientY + window.scrollY - startY;
    const middle = boxes[from].top + boxes[from].height / 2 + by;
    to = boxes.filter((box, number) => number !== from && box.top + box.height / 2 < middle).length;
    const step = boxes[from].height + gap;
    items.forEach((item, number) => {
      const shift = number === from ? by
        : from < number && number <= to ? -step
          : to <= number && number < from ? step : 0;
      item.style.transform = shift ? `translateY(${shift}px)` : "";
    });
  };
  const end = (commit) => {
    handle.removeEventListener("pointermove", place);
    handle.removeEventListener("pointerup", drop);
    handle.removeEventListener("pointercancel", abandon);
    window.removeEventListener("keydown", escape, true);
    items.forEach((item) => { item.style.transform = ""; });
    dragged.classList.remove("dragged");
    dragged.parentElement.classList.remove("dragging");
    if (commit && to !== from) moved(from, to);
  };
  const drop = () => end(true);
  const abandon = () => end(false);
  const escape = (key) => {
    if (key.key !== "Escape") return;
    key.preventDefault();
    end(false);
  };

  handle.setPointerCapture(event.pointerId);
  dragged.classList.add("dragged");
  dragged.parentElement.classList.add("dragging");
  handle.addEventListener("pointermove", place);
  handle.addEventListener("pointerup", drop);
  handle.addEventListener("pointercancel", abandon);
  window.addEventListener("keydown", escape, true);
}
