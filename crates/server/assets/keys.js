// The keyboard on the search page. Letters and signs alone are shortcuts only while nobody types, and can be turned off.
"use strict";

(() => {
  const box = document.querySelector("input[data-completed]");
  const results = document.querySelector("[data-results]");
  const dialog = document.querySelector("[data-keys-dialog]");
  if (!box || !results || !dialog) return;

  const SETTING = "circuit.single-keys";
  const OFF = "off";
  const TYPED_INTO = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  const pane = document.querySelector("[data-pane]");
  const toggle = dialog.querySelector("[data-keys-on]");

  // A browser may keep nothing; then the shortcuts are on.
  function kept() {
    try {
      return localStorage.getItem(SETTING);
    } catch {
      return null;
    }
  }
  let on = kept() !== OFF;
  toggle.checked = on;
  toggle.addEventListener("change", () => {
    on = toggle.checked;
    try {
      if (on) localStorage.removeItem(SETTING);
      else localStorage.setItem(SETTING, OFF);
    } catch {
      // It holds until the page is left.
    }
  });

  const hits = () => [...results.querySelectorAll("[data-hit]")];
  const inPane = () => Boolean(pane) && pane.contains(document.activeElement);
  const current = () => {
    const focused = document.activeElement && document.activeElement.closest("[data-hit]");
    return focused || (inPane() ? results.querySelector("[data-previewed]") : null);
  };

  function preview(hit, focus) {
    document.dispatchEvent(new CustomEvent("circuit:preview", { detail: { hit, focus } }));
  }

  function move(by) {
    const all = hits();
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (!next) return;
    const reading = inPane();
    next.scrollIntoView({ block: "nearest" });
    if (!reading) next.querySelector("[data-title]").focus();
    // A pane that is open follows.
    if (pane && !pane.hidden) preview(next, reading);
  }

  function openAway(hit) {
    const link = hit.querySelector("[data-confluence]");
    if (link) link.click();
  }

  // What works even with single keys off. Gives whether it was meant.
  function always(event) {
    const hit = document.activeElement.closest("[data-hit]");
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (!hit) return false;
        move(event.key === "ArrowDown" ? 1 : -1);
        return true;
      case "Escape":
        if (!results.contains(document.activeElement)) return false;
        box.focus();
        return true;
      default:
        return false;
    }
  }

  function single(event) {
    const hit = current();
    switch (event.key) {
      case "/":
        box.focus();
        box.select();
        return true;
      case "?":
        dialog.showModal();
        return true;
      case "j":
      case "k":
        move(event.key === "j" ? 1 : -1);
        return true;
      case "o":
        if (hit) openAway(hit);
        return Boolean(hit);
      case "p":
        if (hit) preview(hit, true);
        return Boolean(hit);
      case " ":
        // On a button or a box that is ticked it is theirs.
        if (!document.activeElement.matches("[data-title]")) return false;
        preview(hit, true);
        return true;
      default:
        return false;
    }
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest(TYPED_INTO);
    if (event.defaultPrevented || typing || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (always(event) || (on && single(event))) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) dialog.showModal();
  });
})();
