// Suggestions below the search box, as WAI-ARIA's combobox with a list: the focus stays in the box, the arrows choose.
"use strict";

(() => {
  const form = document.querySelector("form[data-search]");
  const box = document.querySelector("input[data-completed]");
  const list = document.querySelector("#completions");
  if (!form || !box || !list) return;

  // So long nobody types before suggestions are asked for.
  const WAIT_MS = 150;
  // The most that are shown: the list covers what was found.
  const SHOWN_MAX = 7;
  // The most indexes that are asked for each.
  const INDEXES_MAX = 3;
  const KINDS = { field: "Search by", space: "Space", type: "Type", person: "Person", label: "Label", title: "Title" };

  let waiting;
  let asking = null;
  let options = [];
  let active = -1;

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-haspopup", "listbox");
  box.setAttribute("aria-controls", list.id);
  close();

  function close() {
    clearTimeout(waiting);
    if (asking) asking.abort();
    asking = null;
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    choose(-1);
  }

  async function ask() {
    if (asking) asking.abort();
    const mine = new AbortController();
    asking = mine;
    const text = box.value;
    const indexes = form.dataset.completing.split(" ").filter(Boolean).slice(0, INDEXES_MAX);
    const answers = await Promise.all(indexes.map((index) => suggested(index, text, mine.signal)));
    if (mine.signal.aborted || box !== document.activeElement) return;
    const found = new Map();
    for (const completion of answers.flat()) {
      if (completion.text.trim() !== text.trim() && !found.has(completion.text)) found.set(completion.text, completion);
    }
    show([...found.values()].slice(0, SHOWN_MAX));
  }

  // One that cannot answer suggests nothing.
  async function suggested(index, text, signal) {
    try {
      const way = `/api/v1/indexes/${index}/search/complete?${new URLSearchParams({ text })}`;
      const answer = await fetch(way, { signal });
      return answer.ok ? (await answer.json()).completions : [];
    } catch {
      return [];
    }
  }

  function show(completions) {
    options = completions;
    if (options.length === 0) {
      close();
      return;
    }
    list.replaceChildren(...options.map(option));
    list.hidden = false;
    list.scrollTop = 0;
    box.setAttribute("aria-expanded", "true");
    choose(-1);
  }

  function option(completion, number) {
    const item = document.createElement("li");
    item.id = `completion-${number}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    const part = (style, text) => {
      const span = document.createElement("span");
      span.className = style;
      span.textContent = text;
      return span;
    };
    const isField = completion.kind === "field";
    const name = isField ? completion.text.trim().split(/\s+/).pop() : completion.name;
    item.append(part("name", name), " ", part("quiet", isField ? completion.name : KINDS[completion.kind] ?? ""));
    return item;
  }

  function choose(number) {
    active = number;
    [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === active)));
    const item = list.children[active];
    if (item && !list.hidden) {
      box.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      box.removeAttribute("aria-activedescendant");
    }
  }

  function take(number) {
    const completion = options[number];
    if (!completion) return;
    close();
    box.value = completion.text;
    box.setSelectionRange(box.value.length, box.value.length);
    box.focus();
    taken = completion.kind !== "field";
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  // What was just taken needs no further suggestion; a field's name does: its values.
  let taken = false;

  function move(by) {
    // Before the first and behind the last is the box itself.
    const places = options.length + 1;
    choose(((active + 1 + by + places) % places) - 1);
  }

  box.addEventListener("input", (event) => {
    clearTimeout(waiting);
    const quiet = taken || event.isComposing;
    taken = false;
    const atEnd = box.selectionStart === box.value.length;
    if (quiet || !atEnd || !/\S$/.test(box.value)) {
      close();
      return;
    }
    waiting = setTimeout(ask, WAIT_MS);
  });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const open = !list.hidden;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        event.preventDefault();
        if (open) move(event.key === "ArrowDown" ? 1 : -1);
        else if (event.key === "ArrowDown") ask();
        break;
      case "Home":
      case "End":
        // The caret moves, and with it the place is the box's again.
        if (open) choose(-1);
        break;
      case "Enter":
        if (open && active >= 0) {
          event.preventDefault();
          take(active);
        } else {
          close();
        }
        break;
      case "Escape":
        if (open) {
          event.preventDefault();
          close();
        }
        break;
      case "Tab":
        close();
        break;
      default:
    }
  });
  box.addEventListener("blur", close);
  form.addEventListener("submit", close);
  // The focus stays in the box while one chooses with a finger or a mouse.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) take([...list.children].indexOf(item));
  });
})();
