// Shortcuts of the whole page. Keys that graphs, maps and the table take stay theirs.

/** Bind keys to actions: {"z": …, "ctrl+z": …}. */
export function bindKeys(actions) {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea");
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey || event.defaultPrevented || (typing && !control)) return;
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    const shift = control && event.shiftKey ? "shift+" : "";
    const act = actions[`${control ? "ctrl+" : ""}${shift}${event.key.toLowerCase()}`];
    if (!act || (typing?.type === "text" && control)) return;
    event.preventDefault();
    act();
  });
}
