// Refreshes the part of the page that changes every two seconds, and says so when the console does not answer.
"use strict";

const part = document.getElementById("status");
const stale = document.getElementById("stale");

async function refresh() {
  try {
    const answer = await fetch(part.dataset.refresh, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    // Nothing new, or somebody is selecting text: leave the page alone.
    const selecting = !document.getSelection().isCollapsed;
    if (html !== refresh.last && !selecting) {
      part.innerHTML = html;
      refresh.last = html;
      const state = part.querySelector(".badge");
      if (state) document.title = state.textContent + " · Wombat ARI";
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(refresh, document.hidden ? 10000 : 2000);
}

setTimeout(refresh, 2000);
