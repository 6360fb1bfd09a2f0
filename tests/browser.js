// Looks at each frame as a reader does, and leaves what it saw as JSON in the document. Nothing of it is in the pages.

const short = node => `${node.tagName.toLowerCase()}.${node.getAttribute("class") || ""} ${node.textContent.slice(0, 40)}`;

function channels(color) {
  const found = color.match(/[\d.]+/g).map(Number);
  return found.length === 3 ? [...found, 1] : found;
}

function luminance([red, green, blue]) {
  const linear = [red, green, blue].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

function ground(node, view) {
  for (let at = node; at; at = at.parentElement) {
    const color = channels(view.getComputedStyle(at).backgroundColor);
    if (color[3] > 0) return color;
  }
  return [255, 255, 255, 1];
}

// WCAG 2.2, 1.4.3: the contrast of text, 4.5 or more
function contrast(node, view) {
  const style = view.getComputedStyle(node);
  const inPicture = node instanceof view.SVGElement;
  const pair = [channels(inPicture ? style.fill : style.color), ground(node, view)].map(luminance).sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
}

function owns(node) {
  return [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
}

function outside(svg) {
  const box = svg.viewBox.baseVal;
  return [...svg.querySelectorAll("rect, path, circle, polygon, polyline, text")].filter(part => {
    const at = part.getBBox();
    return at.x < box.x - 0.01 || at.y < box.y - 0.01
      || at.x + at.width > box.x + box.width + 0.01 || at.y + at.height > box.y + box.height + 0.01;
  }).map(short);
}

function rows(table) {
  return [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.replace(/\s+/g, " ").trim()));
}

// How long each bar is, and from where to where its interval goes, in hundredths of the axis
function drawn(row) {
  const range = row.querySelector(".range")?.getBBox();
  return [row.querySelector(".bar").getBBox().width, ...(range ? [range.x, range.x + range.width] : [])];
}

function figures(page) {
  return Object.fromEntries([...page.querySelectorAll("figure")].map(one =>
    [one.querySelector("figcaption").firstChild.textContent, {
      note: one.querySelector("figcaption small")?.innerText ?? "",
      drawn: [...one.querySelectorAll(".bars tbody tr")].map(drawn),
      tables: [...one.querySelectorAll("table")].map(rows),
      linked: [...one.querySelectorAll("tbody a")].map(link => link.getAttribute("href")),
    }]));
}

function follow(page, link) {
  page.defaultView.location.hash = link.hash; // as a click does, but at once
  const target = page.querySelector(":target");
  const at = target?.getBoundingClientRect();
  return { to: link.getAttribute("href"), label: link.innerText, said: target?.innerText ?? null,
           onScreen: at ? at.top < page.documentElement.clientHeight && at.bottom > 0 : false };
}

function look(frame) {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.documentElement;
  const all = [...page.body.querySelectorAll("*")], wide = root.clientWidth;
  const first = all.filter(node => owns(node) && node.getBoundingClientRect().bottom <= root.clientHeight
    && node.getBoundingClientRect().height > 0).map(node => node.innerText ?? node.textContent).join(" ");
  page.querySelectorAll("details").forEach(one => { one.open = true; });
  const moved = all.filter(node => ["auto", "scroll"].includes(view.getComputedStyle(node).overflowX));
  return {
    page: frame.title, width: frame.clientWidth, scrolls: root.scrollWidth, first,
    spilt: all.filter(node => node.matches("figure, section, table, p, h1, h2, h3, li, .tiles > div, .turn")
      && node.scrollWidth > node.clientWidth + 1 && !node.closest(".wide")).map(short),
    beyond: all.filter(node => node.getBoundingClientRect().right > wide + 0.5 && !node.closest(".wide")).map(short),
    keyless: moved.filter(node => node.tabIndex < 0).map(short),
    headings: [...page.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(one => Number(one.tagName[1])),
    unscoped: [...page.querySelectorAll("th:not([scope])")].map(short),
    headless: [...page.querySelectorAll("table")].filter(one => !one.querySelector("thead th[scope=col]")
      || [...one.tBodies[0].rows].some(row => !row.querySelector("th[scope=row]"))).map(short),
    unnamed: [...page.querySelectorAll("svg:not([aria-hidden])")].filter(one =>
      one.getAttribute("role") !== "img" || !one.querySelector("title") || !one.querySelector("desc")).map(short),
    outside: [...page.querySelectorAll("svg")].flatMap(outside),
    pale: all.filter(node => owns(node) && !node.closest("title, desc, style") && contrast(node, view) < 4.5)
      .map(node => `${short(node)} ${contrast(node, view).toFixed(2)}`),
    dangling: [...page.querySelectorAll("a")].map(link => link.getAttribute("href"))
      .filter(to => !to.startsWith("#") || !page.getElementById(to.slice(1))),
    twice: [...page.querySelectorAll("[id]")].map(node => node.id).filter((id, nth, ids) => ids.indexOf(id) !== nth),
    foreign: page.body.querySelectorAll("script, img, iframe, object, embed, link, base, form, style").length,
    fetched: view.performance.getEntriesByType("resource").map(one => one.name),
    said: [...page.querySelectorAll(".said")].map(one => one.textContent),
    figures: figures(page), text: page.body.innerText.slice(0, 20000),
    background: view.getComputedStyle(page.body).backgroundColor,
    followed: [...page.querySelectorAll(".failures a")].map(link => follow(page, link)),
  };
}

addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(look);
  document.body.innerHTML = '<pre id="seen"></pre>';
  document.getElementById("seen").textContent = JSON.stringify(told);
});
