// What pages do by themselves: regions that follow the dialer, forms that ask before they act or are lost, the menu.

// A region: <div id="x" data-refresh="/live/part">. Its inside is fetched every two seconds (data-every: other seconds)
// and brought up to date piece by piece, so that focus, scroll, selection and what is open stay. Children with an id or
// a data-key are known again. An answer with the header X-Stop ends it. A link with data-in in a region (a sort order, a
// page, what is selected) changes what the region shows: its query goes to the region's address, the page stays where it
// is. What the link's #fragment names is brought into view.
const HIDDEN_S = 15;
const HELD_S = 30;

function keyOf(node) {
  return node.nodeType === 1 ? node.id || node.dataset.key || "" : "";
}

function isLike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

// The next of its kind, a few places on: something before it may have come or gone.
function ahead(place, next) {
  for (let steps = 0; place && steps < 8; steps += 1, place = place.nextSibling) {
    if (isLike(place, next)) return place;
  }
  return null;
}

function morph(old, wanted) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  const mine = old.matches("details, dialog") ? ["open"] : [];
  for (const { name, value } of [...wanted.attributes]) {
    if (!mine.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!mine.includes(name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  // What somebody is filling in is theirs.
  if (old.matches("input, select, textarea")) return;
  morphChildren(old, wanted);
}

function morphChildren(old, wanted) {
  const known = new Map();
  for (const child of old.children) if (keyOf(child)) known.set(keyOf(child), child);
  const keys = new Set([...wanted.children].map(keyOf));
  const isUnwanted = (node, key) => node.nodeType !== 1 || (key && !keys.has(keyOf(node)));
  let place = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = keyOf(next);
    const found = key ? known.get(key) : ahead(place, next);
    if (!found || found.nodeName !== next.nodeName) {
      old.insertBefore(next, place);
    } else {
      // What is moved loses its scroll and focus: rather what stands before it goes, if nobody wants it.
      while (next.nodeType === 1 && place && place !== found && isUnwanted(place, key)) place = removed(place);
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      morph(found, next);
    }
  }
  while (place) place = removed(place);
}

function removed(node) {
  const after = node.nextSibling;
  node.remove();
  return after;
}

// Who copies a name is not disturbed; but a page on a wall does not stand still because a word is marked.
function isSelecting(region) {
  const selection = document.getSelection();
  if (selection.isCollapsed || !region.contains(selection.anchorNode)) region.selectingSince = 0;
  else region.selectingSince ||= Date.now();
  return region.selectingSince && Date.now() - region.selectingSince < 1000 * Number(region.dataset.hold || HELD_S);
}

async function refresh(region) {
  let every = Number(region.dataset.every || 2);
  clearTimeout(region.timer);
  const turn = (region.turn = (region.turn || 0) + 1);
  try {
    const answer = await fetch(region.dataset.refresh, { cache: "no-store" });
    if (turn !== region.turn) return; // it shows something else by now
    if (answer.status === 401) {
      document.getElementById("logged-off").hidden = false;
      return;
    }
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    if (turn !== region.turn) return;
    if (html !== region.shown && !isSelecting(region)) {
      const wanted = document.createElement("template");
      wanted.innerHTML = html;
      morphChildren(region, wanted.content);
      region.shown = html;
      region.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
      const title = region.querySelector("[data-title]");
      if (title) document.title = title.dataset.title + " · Wombat ARI";
    }
    document.getElementById("stale").hidden = true;
    if (answer.headers.has("X-Stop")) return;
  } catch {
    document.getElementById("stale").hidden = false;
    every = Math.max(every, 5);
  }
  if (region.isConnected && turn === region.turn) {
    region.timer = setTimeout(refresh, 1000 * (document.hidden ? HIDDEN_S : every), region);
  }
}

for (const region of document.querySelectorAll("[data-refresh]")) {
  region.timer = setTimeout(refresh, 1000 * Number(region.dataset.every || 2), region);
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-refresh] a[data-in]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const region = link.closest("[data-refresh]");
  history.pushState(null, "", link.href);
  region.dataset.refresh = region.dataset.refresh.split("?")[0] + location.search;
  const shows = link.hash.slice(1);
  document.getSelection().removeAllRanges();
  await refresh(region);
  if (shows) document.getElementById(shows)?.scrollIntoView({ block: "nearest" });
});
addEventListener("popstate", () => {
  const region = document.querySelector("[data-refresh] a[data-in]")?.closest("[data-refresh]");
  const [path, query] = region?.dataset.refresh.split("?") ?? [];
  if (!region || location.search.slice(1) === (query ?? "")) return;
  region.dataset.refresh = path + location.search;
  refresh(region);
});

// Forms: data-confirm, of the form or of the button, asks first.
const question = document.createElement("dialog");
question.className = "question";
question.setAttribute("aria-labelledby", "question-text");
const says = Object.assign(document.createElement("p"), { id: "question-text" });
const answers = Object.assign(document.createElement("form"), { method: "dialog", className: "buttons" });
answers.append(
  Object.assign(document.createElement("button"), { value: "yes", className: "primary", textContent: "Yes" }),
  Object.assign(document.createElement("button"), { value: "", textContent: "No" }),
);
question.append(says, answers);
document.body.append(question);

// What is on its way is not sent again by a second click: numbers would be on the list twice.
const SENT_MS = 5000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (Date.now() - (form.sentAt ?? 0) < SENT_MS) {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  const asks = button?.dataset.confirm ?? form.dataset.confirm;
  if (asks && !form.confirmed) {
    event.preventDefault();
    says.textContent = asks;
    question.returnValue = "";
    question.onclose = () => {
      // What was asked about may have changed meanwhile: then the button is not there any more.
      if (question.returnValue !== "yes" || !form.isConnected || button?.isConnected === false) return;
      form.confirmed = true;
      form.requestSubmit(button);
      form.confirmed = false;
    };
    question.showModal();
    return;
  }
  if (form.method === "post") form.saving = true;
  if (form.method === "post" && !event.defaultPrevented) form.sentAt = Date.now();
});

function sentNothing() {
  for (const form of document.forms) {
    form.sentAt = 0;
    form.saving = false;
  }
}
addEventListener("pageshow", sentNothing);

// Every form that is posted: what is filled in and not sent is asked about before the page is left, also by sending
// another form of the page; and so is what was refused, until it is sent again or undone.
// What a browser fills in by itself (login, password) does not count; nor does a form with data-unguarded, a filter.
function filled(form) {
  const data = new FormData(form);
  for (const one of form.querySelectorAll("[autocomplete=username], [autocomplete=current-password]")) {
    data.delete(one.name);
  }
  return new URLSearchParams(data).toString();
}
const guarded = [...document.querySelectorAll("form[method=post]:not([data-unguarded])")].filter((form) =>
  form.querySelector("input:not([type=hidden]), select, textarea"),
);
for (const form of guarded) form.filled = filled(form);
function isLost(form) {
  return form.isConnected && !form.saving && (form.matches("[data-unsaved]") || filled(form) !== form.filled);
}
addEventListener("beforeunload", (event) => {
  if (!guarded.some(isLost)) return;
  event.preventDefault();
  setTimeout(sentNothing); // runs when one stays
});

// What goes with a choice is shown with it: <div data-when="type=QUEUE,FLOW">.
function showWhat() {
  for (const part of document.querySelectorAll("[data-when]")) {
    const [name, values] = part.dataset.when.split("=");
    const field = part.closest("form").elements[name];
    const value = field.type === "checkbox" ? (field.checked ? "yes" : "no") : field.value;
    part.hidden = !values.split(",").includes(value);
  }
}
document.addEventListener("input", showWhat);
showWhat();

// The menu on a phone, and the theme.
const burger = document.querySelector(".burger");
burger?.addEventListener("click", () => {
  burger.setAttribute("aria-expanded", String(document.body.classList.toggle("menu-open")));
});
document.getElementById("theme")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-go]")) event.target.form.requestSubmit();
});

// What can be scrolled sideways can be reached by keyboard, too.
function reachable() {
  for (const part of document.querySelectorAll(".scroll, table.wide")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachable);
document.addEventListener("refreshed", reachable);
document.addEventListener("toggle", reachable, true);
reachable();

// A file on its way: how far it is.
for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]").files[0];
    if (!file || file.size < 1 << 20) return;
    event.preventDefault();
    const bar = form.querySelector("progress");
    bar.parentElement.hidden = false;
    form.querySelector("button").disabled = true;
    const sending = new XMLHttpRequest();
    sending.upload.onprogress = (far) => {
      bar.max = far.total;
      bar.value = far.loaded;
    };
    sending.onload = () => location.assign(sending.status < 400 ? sending.responseURL : location.href);
    sending.onerror = () => {
      document.getElementById("stale").hidden = false;
      form.querySelector("button").disabled = false;
      sentNothing();
    };
    sending.open("POST", form.action);
    sending.send(new FormData(form));
  });
}
