"use strict";

/* What the report and the live page have in common: elements, terms, hits, passages. */

/** An element. Text is only ever set as text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter(child => child !== null));
  return element;
}

const number = (value, digits = 3) => value === undefined || value === null ? "–" : value.toFixed(digits);
const colour = term => "t" + term % 8;

/** The terms of a query, each in its colour, with IDF and soft terms. */
function termList(terms) {
  return el("ul", {class: "terms", "aria-label": "Terms of the query"}, ...terms.map((term, i) => {
    const soft = Object.entries(term.soft).map(([word, share]) => `${word} ${share.toFixed(2)}`).join(", ");
    return el("li", {}, el("mark", {class: colour(i)}, term.term), ` idf ${term.idf.toFixed(1)}`, soft ? ` ~ ${soft}` : "");
  }));
}

/** A text with its matches coloured, the fainter the less a word stands for the term. */
function coloured(view, terms) {
  const parts = [];
  let from = 0;
  for (const [start, end, term, share] of view.matches) {
    const word = view.text.slice(start, end);
    const mark = el("mark", {class: colour(term), title: `${terms[term].term}, ${share} %`}, word);
    mark.style.setProperty("--share", 0.25 + 0.75 * share / 100);
    parts.push(view.text.slice(from, start), mark);
    from = end;
  }
  parts.push(view.text.slice(from), view.cut ? " …" : "");
  return parts;
}

/** How far a passage moved against a baseline. */
function movement(rank, before) {
  if (before === rank) {
    return ["=", "same rank"];
  }
  if (before < 0) {
    return ["new", "not among the first of the baseline"];
  }
  return rank < before ? [`▲ ${before - rank}`, "up"] : [`▼ ${rank - before}`, "down"];
}

/** Rankings side by side; whoever clicks a hit is told its id. */
function columns(rankings, baseline, passages, terms, onChoose) {
  const before = (rankings[baseline] || []).map(hit => hit.id);
  return el("div", {class: "columns", tabindex: "0", role: "region", "aria-label": "Rankings"},
    ...Object.entries(rankings).map(([system, hits]) => el("div", {},
      el("h3", {}, el("bdi", {}, system)),
      el("ol", {}, ...hits.map((hit, rank) => {
        const view = passages[hit.id];
        const [sign, said] = movement(rank, before.indexOf(hit.id));
        return el("li", {}, el("button", {class: "hit", type: "button", "aria-pressed": "false", "data-id": hit.id,
            onclick: event => onChoose(hit.id, system, event.currentTarget)},
          el("span", {class: "head"},
            el("span", {}, `${rank + 1}.`),
            el("bdi", {class: "name"}, hit.id),
            el("span", {}, hit.score.toFixed(2)),
            system === baseline ? null : el("span", {title: said}, sign),
            view && view.grade !== undefined ? el("span", {}, `grade ${view.grade}`) : null),
          el("bdi", {class: "text"}, ...(view ? coloured(view, terms) : ["not in this index"]))));
      })))));
}

/** Why a system scores a passage as it does, against the baseline. */
function reason(view, terms, system, baseline) {
  const own = view.scores[system], other = view.scores[baseline];
  if (!own || !other) {
    return `What each term adds to the score is not known of ${own ? baseline : system}.`;
  }
  const total = scores => scores.reduce((sum, score) => sum + score, 0) || 1;
  const gain = own.map((score, t) => score / total(own) - other[t] / total(other));
  const t = gain.map(Math.abs).indexOf(Math.max(...gain.map(Math.abs)));
  if (t < 0 || Math.abs(gain[t]) < 0.02) {
    return `${system} and ${baseline} share their scores out among the terms alike.`;
  }
  const words = [...new Set(view.matches.filter(m => m[2] === t && m[3] < 100).map(m => `“${view.text.slice(m[0], m[1])}” (${m[3]} %)`))];
  const standing = words.length ? ` ${words.join(", ")} ${words.length > 1 ? "stand" : "stands"} for it.` : "";
  const share = scores => (100 * scores[t] / total(scores)).toFixed(0);
  return `“${terms[t].term}” makes ${share(own)} % of the score by ${system}, ${share(other)} % by ${baseline}.${standing}`;
}

/** A passage: its text, and what each term adds to each score. */
function passage(id, view, terms, system, baseline) {
  const systems = Object.keys(view.scores);
  return el("div", {class: "passage"},
    el("h3", {}, el("bdi", {}, id)),
    system === baseline ? null : el("p", {class: "reason"}, reason(view, terms, system, baseline)),
    el("p", {}, ...coloured(view, terms)),
    el("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "Scores by term"},
      el("table", {},
        el("caption", {class: "note"}, "What each term adds to the score"),
        el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "term"), ...systems.map(name => el("th", {scope: "col"}, name)))),
        el("tbody", {}, ...terms.map((term, t) => el("tr", {},
          el("th", {scope: "row"}, el("mark", {class: colour(t)}, term.term)),
          ...systems.map(name => el("td", {}, number(view.scores[name][t], 2)))))))));
}
