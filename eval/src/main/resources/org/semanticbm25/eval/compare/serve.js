"use strict";

(() => {
  const find = id => document.getElementById(id);
  const sliders = ["k1", "b", "soft", "threshold", "blend", "w"];
  const moved = new Set(); // sliders; the others stay exactly as the model has them
  const edits = new Map();
  let defaults = {};
  let asked = 0;
  let neural = null; // the cross-encoder's last hits, and what they answer

  async function get(path) {
    const response = await fetch(path);
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(answer.error);
    }
    return answer;
  }

  function parameters() {
    const values = new URLSearchParams({q: find("q").value});
    moved.forEach(name => values.set(name, find(name).value));
    if (isKnown()) {
      values.set("also", neural.hits["cross-encoder"].map(hit => hit.id).join("\n"));
    }
    values.set("edits", [...edits].map(([word, factor]) => `${word}=${factor}`).join("\n"));
    return values;
  }

  const isKnown = () => find("neural").checked && neural !== null && neural.q === find("q").value && neural.w === (moved.has("w") ? find("w").value : null);
  const say = text => { find("status").textContent = text; };

  /** Shows an answer, with further passages that were looked at under the same setting. */
  function show(answer, further = {}) {
    const rankings = {...answer.hits, ...(isKnown() ? neural.hits : {})};
    const passages = {...further, ...answer.passages};
    find("hits-section").hidden = false;
    find("setting-section").hidden = false;
    find("terms").replaceChildren(termList(answer.terms));
    const choose = (id, system) => {
      document.querySelectorAll("#hits .hit").forEach(b => b.setAttribute("aria-pressed", String(b.dataset.id === id)));
      find("detail").replaceChildren(passage(id, passages[id], answer.terms, system, "bm25"));
    };
    find("detail").replaceChildren();
    find("hits").replaceChildren(columns(rankings, "bm25", passages, answer.terms, choose));
    find("command").textContent = answer.command;
    find("java").textContent = answer.java;
    const times = {...answer.millis, ...(isKnown() ? neural.millis : {})};
    say(Object.entries(times).map(([system, millis]) => `${system} ${millis.toFixed(1)} ms`).join(", "));
  }

  async function search() {
    if (!find("q").value.trim()) {
      return;
    }
    const own = ++asked;
    const values = parameters();
    try {
      const answer = await get("/api/search?" + values);
      if (own !== asked) {
        return;
      }
      show(answer);
      if (find("neural").checked && !isKnown()) {
        say(find("status").textContent + "; the cross-encoder is reading …");
        const second = await get("/api/rerank?" + values);
        if (own === asked) {
          neural = {q: values.get("q"), w: values.get("w"), hits: second.hits, millis: second.millis};
          show(answer, second.passages);
        }
      }
    } catch (error) {
      if (own === asked) {
        say(error.message);
      }
    }
  }

  function label(name) {
    find(name + "-value").textContent = moved.has(name) ? find(name).value : +Number(defaults[name]).toFixed(4);
  }

  function reset() {
    moved.clear();
    sliders.forEach(name => { find(name).value = defaults[name]; label(name); });
    edits.clear();
    showEdits();
  }

  function showEdits() {
    find("edits").replaceChildren(...[...edits].map(([word, factor]) => el("li", {}, `${word} × ${factor} `,
      el("button", {type: "button", "aria-label": `undo ${word}`, onclick: () => { edits.delete(word); showEdits(); search(); }}, "×"))));
  }

  find("ask").addEventListener("submit", event => { event.preventDefault(); search(); });
  find("edit").addEventListener("submit", event => event.preventDefault());
  let timer;
  sliders.forEach(name => find(name).addEventListener("input", () => {
    moved.add(name);
    label(name);
    clearTimeout(timer);
    timer = setTimeout(search, 150);
  }));
  document.querySelectorAll("[data-factor]").forEach(button => button.addEventListener("click", () => {
    const word = find("word").value.trim();
    if (word) {
      edits.set(word, Number(button.dataset.factor));
      find("word").value = "";
      showEdits();
      search();
    }
  }));
  document.querySelectorAll("[data-copy]").forEach(button => button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(find(button.dataset.copy).textContent);
      say("copied");
    } catch {
      getSelection().selectAllChildren(find(button.dataset.copy));
      say("the browser does not let this page copy; it is selected");
    }
  }));
  find("reset").addEventListener("click", () => { reset(); search(); });
  find("neural").addEventListener("change", search);

  get("/api/defaults").then(answer => {
    defaults = answer;
    find("about").textContent = `Field ${answer.field}, ${answer.documents} documents.`;
    reset();
    find("q").value = new URLSearchParams(location.search).get("q") ?? "";
    search();
  }).catch(error => say(error.message));
})();
