// A hit's document beside the hits, at the passage: what the document's own page shows, fetched when it is asked for.
"use strict";

(() => {
  const pane = document.querySelector("[data-pane]");
  const main = document.querySelector("main");
  if (!pane) return;

  // The most words that are marked.
  const MARKS_MAX = 500;
  // So much of a passage's beginning tells it from others.
  const PASSAGE_CHARS = 60;
  const PASSAGE_CHARS_MIN = 12;
  // The most pieces of a snippet that are looked for.
  const PIECES_MAX = 20;
  const BLOCKS = "p, li, td, th, pre, h2, h3, h4, h5, h6, dt, dd";

  const part = (name) => pane.querySelector(`[data-pane-${name}]`);
  const [title, here, confluence, body, said] = ["title", "here", "confluence", "body", "said"].map(part);
  let previewed = null;
  let asking = null;

  const plain = (text) => text.replace(/\s+/g, " ").trim();

  async function open(hit) {
    if (asking) asking.abort();
    const mine = new AbortController();
    asking = mine;
    mark(hit);
    const link = hit.querySelector("[data-title]");
    const away = hit.querySelector("[data-confluence]");
    title.textContent = link.textContent;
    here.href = link.href;
    confluence.hidden = !away;
    if (away) confluence.href = away.href;
    pane.hidden = false;
    main.classList.add("previewing");
    body.setAttribute("aria-busy", "true");
    said.textContent = "Loading";
    try {
      const answer = await fetch(link.href, { signal: mine.signal, headers: { accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine.signal.aborted) return;
      const read = fresh.querySelectorAll("main > .byline, main > .notice, .reading .text");
      if (read.length === 0) throw new Error(answer.statusText);
      show([...read].map((element) => document.adoptNode(element)), hit, new URL(link.href).hash);
      said.textContent = "";
    } catch {
      if (mine.signal.aborted) return;
      body.replaceChildren();
      said.textContent = "";
      body.append(Object.assign(document.createElement("p"), {
        className: "quiet",
        textContent: "It cannot be shown just now. The title leads to its page.",
      }));
    } finally {
      if (asking === mine) body.removeAttribute("aria-busy");
    }
  }

  function show(elements, hit, hash) {
    body.replaceChildren(...elements);
    // Ids are this page's own; within the pane places go by another name.
    for (const element of body.querySelectorAll("[id]")) {
      element.dataset.anchor = element.id;
      element.removeAttribute("id");
    }
    const heading = anchor(hash);
    const passage = passageOf(hit, heading);
    markWords(hit);
    if (passage.length === 0 && heading) passage.push(heading);
    for (const block of passage) block.classList.add("passage");
    body.scrollTop = 0;
    const first = passage[0] || body.querySelector(".text mark");
    if (first) bring(first);
  }

  function anchor(hash) {
    let name = hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      // As it stands, then.
    }
    const all = [...body.querySelectorAll("[data-anchor]")];
    return name === "" ? null : all.find((element) => element.dataset.anchor === name) || null;
  }

  // The blocks that the snippet is of, below the heading if there is one; the one with a word of the question first.
  function passageOf(hit, heading) {
    const snippet = hit.querySelector(".snippet");
    const pieces = snippet ? snippet.textContent.split(/ · | \| |…/).map(plain) : [];
    const words = marked(hit);
    const asked = (piece) => Number(words.some((word) => piece.toLowerCase().includes(word)));
    const long = pieces.filter((piece) => piece.length >= PASSAGE_CHARS_MIN).slice(0, PIECES_MAX);
    long.sort((a, b) => asked(b) - asked(a) || b.length - a.length);
    const blocks = [...body.querySelectorAll(`.text :is(${BLOCKS})`)];
    const texts = blocks.map((block) => plain(block.textContent));
    const behind = (block) => !heading || Boolean(heading.compareDocumentPosition(block) & Node.DOCUMENT_POSITION_FOLLOWING);
    const found = long.map((piece) => {
      const holding = blocks.filter((_, n) => texts[n].includes(piece.slice(0, PASSAGE_CHARS)));
      const first = holding.find(behind) || holding[0];
      // The innermost: an item's own line, not the list around it.
      const inner = holding.filter((block) => first && first.contains(block)).pop();
      return inner ? inner.closest("tr") || inner : null;
    });
    return [...new Set(found.filter(Boolean))];
  }

  const marked = (hit) => [...new Set([...hit.querySelectorAll("mark")].map((word) => word.textContent.toLowerCase()))];

  // The words that the hit has marked.
  function markWords(hit) {
    const words = marked(hit);
    if (words.length === 0) return;
    const escaped = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
    const wanted = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
    const walker = document.createTreeWalker(body.querySelector(".text") || body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    let marks = 0;
    for (const text of texts) {
      let rest = text;
      for (const found of [...text.data.matchAll(wanted)].reverse()) {
        if (marks === MARKS_MAX) return;
        marks += 1;
        rest = text.splitText(found.index);
        rest.splitText(found[0].length);
        const word = document.createElement("mark");
        rest.replaceWith(word);
        word.append(rest);
      }
    }
  }

  function bring(element) {
    const [wanted, window] = [element.getBoundingClientRect(), body.getBoundingClientRect()];
    body.scrollTop += wanted.top - window.top - body.clientHeight / 4;
  }

  function mark(hit) {
    if (previewed) previewed.removeAttribute("data-previewed");
    previewed = hit;
    if (hit) hit.setAttribute("data-previewed", "");
  }

  function close() {
    if (pane.hidden) return;
    if (asking) asking.abort();
    const back = previewed;
    const inside = pane.contains(document.activeElement) || document.activeElement === document.body;
    pane.hidden = true;
    body.replaceChildren();
    main.classList.remove("previewing");
    mark(null);
    if (inside && back && back.isConnected) back.querySelector("[data-title]").focus();
  }

  document.addEventListener("circuit:preview", (event) => {
    const { hit, focus } = event.detail;
    open(hit);
    if (focus) title.focus();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (button) {
      open(button.closest("[data-hit]"));
      title.focus();
    }
    const within = event.target.closest("[data-pane-body] a[href^='#']");
    if (within) {
      event.preventDefault();
      const place = anchor(within.getAttribute("href"));
      if (place) bring(place);
    }
  });
  part("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || pane.hidden || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    close();
  });
  // The same hit among new ones is still the one; without it the pane would stand for nothing.
  document.addEventListener("circuit:shown", () => {
    if (pane.hidden || !previewed || previewed.isConnected) return;
    const titles = [...document.querySelectorAll("[data-hit] [data-title]")];
    const same = titles.find((link) => link.href === here.href);
    if (same) mark(same.closest("[data-hit]"));
    else close();
  });
})();
