// The search page with a script: results while one types, filters without a reload. The server renders each answer as the
// page that it is; here its parts are put in their places, and nothing else moves.
"use strict";

(() => {
  const form = document.querySelector("form[data-search]");
  const results = document.querySelector("[data-results]");
  if (!form || !results) return;

  // So long nobody types before the question is asked.
  const TYPING_WAIT_MS = 150;
  // So long a count stands before it is said: one that changes with each letter would only be noise.
  const SAID_WAIT_MS = 700;
  const TROUBLE = "Circuit does not answer; these are the results from before.";

  const box = form.elements.q;
  const trouble = results.querySelector("[data-trouble]");
  const said = results.querySelector("[data-said]");
  // Whoever comes back to a question goes on typing at its end.
  box.setSelectionRange(box.value.length, box.value.length);
  let waiting;
  let saying;
  let asking = null;
  // What this entry of the history stands for, while what is being typed is in its place.
  let entered = location.href;
  let shown = location.pathname + location.search;

  // The address that the form would lead to.
  function address() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value.trim() !== "") query.append(name, value.trim());
    }
    const way = form.getAttribute("action");
    return new URL(query.size > 0 ? `${way}?${query}` : way, location.href).href;
  }

  // What is typed stands in place of what was; what is entered comes after it, so that the way back leads there.
  function remember(way, how) {
    try {
      if (how === "typed") history.replaceState(null, "", way);
      if (how === "entered" && way !== entered) {
        history.replaceState(null, "", entered);
        history.pushState(null, "", way);
      }
    } catch {
      // A browser refuses too many at once: then the address follows with the next.
    }
    if (how !== "typed") entered = way;
  }

  async function ask(way, how) {
    clearTimeout(waiting);
    if (asking) asking.abort();
    const mine = new AbortController();
    asking = mine;
    remember(way, how);
    results.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(way, { signal: mine.signal, headers: { accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine.signal.aborted) return;
      if (!fresh.querySelector("[data-results]")) {
        // The session has ended or the index is gone: the page itself says which.
        if (answer.status >= 500) throw new Error(answer.statusText);
        location.assign(way);
        return;
      }
      show(fresh, how);
      shown = new URL(way).pathname + new URL(way).search;
      trouble.textContent = "";
    } catch {
      if (!mine.signal.aborted) trouble.textContent = TROUBLE;
    } finally {
      if (asking === mine) {
        asking = null;
        results.removeAttribute("aria-busy");
      }
    }
  }

  function show(fresh, how) {
    for (const place of document.querySelectorAll("[data-part]")) {
      const now = fresh.querySelector(`[data-part="${place.dataset.part}"]`);
      if (now && now.innerHTML !== place.innerHTML) put(place, now);
    }
    form.dataset.completing = fresh.querySelector("form[data-search]").dataset.completing;
    const names = how === "typed" ? ["sort"] : ["q", "sort", "from", "before"];
    for (const name of names) follow(form.elements[name], fresh.getElementById(name), how);
    clearTimeout(saying);
    saying = setTimeout(() => {
      said.textContent = results.querySelector("[data-part=total]").textContent;
    }, SAID_WAIT_MS);
    document.dispatchEvent(new CustomEvent("circuit:shown"));
  }

  // A control that is not put anew says what the answer says, unless somebody is at work in it.
  function follow(control, now, how) {
    const atWork = control === document.activeElement && how !== "led";
    if (!now || atWork) return;
    const value = now.tagName === "SELECT" ? (now.querySelector("[selected]") || now.options[0]).value : now.getAttribute("value");
    if (control.value !== value) control.value = value;
  }

  // The focus stays on what is the same, and what was unfolded stays so.
  function put(place, now) {
    const focus = place.contains(document.activeElement) ? document.activeElement : null;
    const unfolded = [...place.querySelectorAll("details[data-rest][open]")].map((rest) => rest.dataset.rest);
    place.replaceChildren(...document.adoptNode(now).childNodes);
    for (const rest of place.querySelectorAll("details[data-rest]")) {
      if (unfolded.includes(rest.dataset.rest)) rest.open = true;
    }
    placeDetails(place);
    if (!focus) return;
    const same = [...place.querySelectorAll(focus.tagName)].find((other) =>
      focus.name ? other.name === focus.name && other.value === focus.value : other.href === focus.href && Boolean(focus.href));
    (same || place.querySelector("a.chip") || results).focus({ preventScroll: true });
  }

  function placeDetails(place) {
    const wide = window.matchMedia("(min-width: 48.01rem)").matches;
    for (const details of place.querySelectorAll("details[data-wide-open]")) details.open = wide;
  }

  box.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.isComposing) return;
    waiting = setTimeout(() => ask(address(), "typed"), TYPING_WAIT_MS);
  });
  box.addEventListener("compositionend", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(address(), "typed"), TYPING_WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(address(), "entered");
    // On a phone the keyboard would cover what was found.
    if (window.matchMedia("(pointer: coarse)").matches) box.blur();
  });
  document.addEventListener("change", (event) => {
    if (event.target.form === form && event.target !== box) ask(address(), "entered");
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-live], [data-results] .pages a");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    const paged = Boolean(link.closest(".pages"));
    ask(link.href, "entered").then(() => {
      if (!paged) return;
      results.scrollIntoView();
      results.focus({ preventScroll: true });
    });
  });
  window.addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) ask(location.href, "led");
  });
  results.tabIndex = -1;
})();
