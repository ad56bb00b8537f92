// What a page can do with a script: live progress, choosing among many spaces, times of this place. Everything else
// works without.
"use strict";

function localTimes(root) {
  const words = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[data-local]")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.getTime())) {
      time.title = time.textContent;
      time.textContent = words.format(instant);
    }
  }
}

// Puts a newly rendered part where its predecessor is. While somebody is at work there with the keyboard it waits, and
// the newest one is put when they leave.
function put(fresh, selector) {
  const old = document.querySelector(selector);
  const now = fresh.querySelector(selector);
  if (!old || !now) return;
  if (old.contains(document.activeElement)) {
    old.onfocusout = (event) => {
      if (!old.contains(event.relatedTarget)) setTimeout(() => put(fresh, selector));
    };
    return;
  }
  const scrolled = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  localTimes(now);
  old.replaceWith(document.adoptNode(now));
  now.querySelectorAll(".scroll").forEach((box, n) => { box.scrollLeft = scrolled[n] ?? 0; });
}

// The server renders; here it is only put in its place. Another state has other buttons: then the page is loaded anew.
function liveProgress(region) {
  const place = region.querySelector("[data-progress]");
  const said = region.querySelector("[data-said]");
  const shown = () => place.querySelector("[data-state]").dataset;
  const first = shown().state;
  let headline = shown().headline;
  let heard = false;
  let stream = null;
  const progress = (event) => {
    heard = true;
    const fresh = new DOMParser().parseFromString(event.data, "text/html");
    const now = { ...fresh.querySelector("[data-state]").dataset };
    put(fresh, "[data-state]");
    put(fresh, "[data-runs]");
    put(fresh, "[data-schedule]");
    if (now.state !== first) {
      stream.close();
      location.replace(location.pathname);
      return;
    }
    if (said && now.headline !== headline) {
      headline = now.headline;
      said.textContent = headline;
    }
  };
  // A page that nobody looks at holds no connection: browsers give a site only six.
  const watch = () => {
    if (stream) stream.close();
    stream = null;
    if (document.hidden) return;
    stream = new EventSource(region.dataset.events);
    stream.addEventListener("progress", progress);
    // The server refuses to go on: the session has ended or the feed is gone. The page itself says which.
    stream.addEventListener("error", () => {
      if (heard && stream && stream.readyState === EventSource.CLOSED) location.reload();
    });
  };
  watch();
  document.addEventListener("visibilitychange", watch);
  window.addEventListener("pagehide", () => stream && stream.close());
}

// The longest wait for more clicks before the size is asked for.
const ESTIMATE_WAIT_MS = 400;

function spaceChooser(form) {
  const rows = [...form.querySelectorAll(".tick")];
  const boxes = rows.map((row) => row.querySelector("input"));
  const filter = form.querySelector("#filter");
  const all = form.querySelector("[data-select-all]");
  const none = form.querySelector("[data-none]");
  const size = form.querySelector("[data-size]");
  form.querySelector("[data-scripted]").hidden = false;

  const visible = () => boxes.filter((box, n) => !rows[n].hidden && !box.disabled);
  const chosen = () => boxes.filter((box) => box.checked && !box.disabled);
  const label = () => {
    const offered = visible();
    all.textContent = offered.length > 0 && offered.every((box) => box.checked) ? "Select none" : "Select all";
  };

  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    none.hidden = rows.some((row) => !row.hidden);
    label();
  });
  // Enter in the filter box must not send the form.
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  all.addEventListener("click", () => {
    const offered = visible();
    const to = !offered.every((box) => box.checked);
    for (const box of offered) box.checked = to;
    changed();
  });

  let waiting;
  let asking;
  function changed() {
    label();
    clearTimeout(waiting);
    if (asking) asking.abort();
    const count = chosen().length;
    const selected = count === 1 ? "1 space selected." : `${count} spaces selected.`;
    size.textContent = count === 0 ? "" : selected;
    if (count === 0) return;
    waiting = setTimeout(async () => {
      asking = new AbortController();
      const body = new URLSearchParams();
      body.set("csrf", form.querySelector("[name=csrf]").value);
      for (const box of chosen()) body.append("space", box.value);
      try {
        size.textContent = `${selected} Asking Confluence how much that is…`;
        const answer = await fetch(form.dataset.estimate, { method: "POST", body, signal: asking.signal });
        size.textContent = `${selected} ${(await answer.json()).text}`;
      } catch (error) {
        if (error.name !== "AbortError") size.textContent = selected;
      }
    }, ESTIMATE_WAIT_MS);
  }
  form.addEventListener("change", (event) => {
    if (event.target.name === "space") changed();
  });
  changed();
}

localTimes(document);
document.querySelectorAll("[data-events]").forEach(liveProgress);
document.querySelectorAll("form[data-spaces]").forEach(spaceChooser);
// On a narrow screen filters or an outline would push away what one came for: there they wait to be opened.
const wide = window.matchMedia("(min-width: 48.01rem)");
function placeDetails() {
  for (const details of document.querySelectorAll("details[data-wide-open]")) details.open = wide.matches;
}
placeDetails();
wide.addEventListener("change", placeDetails);
