// Opens pages in headless Chromium, in light and dark mode, wide and narrow, and checks their accessibility.
//
//   node check.mjs CHROMIUM FOLDER
//
// Every *.html in FOLDER is a page. For each, in each width and color scheme:
//   - axe-core has no findings (contrast, names, roles, structure), with all collapsed elements expanded
//   - the page is not wider than the window
//   - it has loaded no other resource, and no request was blocked and no script failed
//   - with forced colors, where the browser replaces all colors of the page, every state still has its text
// A screenshot of each is written to FOLDER. Exits with 1 if a check failed.

import { readFile, readdir, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const [, , executablePath, named] = process.argv;
if (!executablePath || !named) {
  console.error("usage: node check.mjs CHROMIUM FOLDER");
  process.exit(64);
}

// Contrast limits of axe, which are those of WCAG AA, also applied to single characters.
const CONTRAST = {
  ignoreUnicode: false,
  ignoreLength: true,
  ignorePseudo: false,
  boldValue: 700,
  boldTextPt: 14,
  largeTextPt: 18,
  contrastRatio: { normal: { expected: 4.5 }, large: { expected: 3 } },
  pseudoSizeThreshold: 0.25,
  shadowOutlineEmMax: 0.2,
  textStrokeEmMin: 0.03,
};

const folder = await realpath(named);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = (await readdir(folder)).filter((name) => name.endsWith(".html")).sort();
const findings = [];
let looks = 0;

// Chromium has no sandbox as root; the pages are our own. The other flags disable network requests of the browser.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const browser = await chromium.launch({ executablePath, args });
try {
  const looksOf = async (name) => {
    for (const width of [1280, 400]) {
      for (const scheme of ["light", "dark"]) {
        await look(name, width, scheme);
      }
    }
  };
  await Promise.all(pages.map(looksOf));
} finally {
  await browser.close();
}

if (pages.length === 0) {
  findings.push(`${folder} holds no page`);
}
for (const finding of findings.sort()) {
  console.error(finding);
}
console.log(`${pages.length} pages, ${looks} looks, ${findings.length} findings`);
process.exit(findings.length === 0 ? 0 : 1);

async function look(name, width, scheme) {
  const at = `${name} at ${width} pixels, ${scheme}`;
  const say = (what) => findings.push(`${at}: ${what}`);
  const url = pathToFileURL(path.join(folder, name)).href;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    offline: true,
  });
  const page = await context.newPage();
  page.on("request", (request) => {
    if (request.url() !== url) say(`asks for ${request.url()}`);
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) say(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => say(`error: ${error.message}`));
  await page.goto(url);
  const shot = path.join(folder, `${name.replace(/\.html$/, "")}-${width}-${scheme}.png`);
  await page.screenshot({ path: shot, fullPage: true });

  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  const overflow = await page.evaluate(() => {
    const root = document.documentElement;
    const wide = [...document.body.querySelectorAll("*")].find(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 1,
    );
    const by = root.scrollWidth - root.clientWidth;
    return by > 0 ? `${by} pixels wider than the window, by ${wide?.outerHTML.slice(0, 120)}` : null;
  });
  if (overflow) say(overflow);

  await page.evaluate(axe);
  await page.evaluate((options) => {
    window.axe.configure({ checks: [{ id: "color-contrast", options }] });
  }, CONTRAST);
  const { violations, incomplete, passes } = await page.evaluate(() => window.axe.run(document));
  for (const { id, help, nodes } of violations) {
    say(`${id}: ${help}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 160)}`);
  }
  // Undecided results of axe are failures: a contrast that cannot be computed may be insufficient.
  for (const { id, help, nodes } of incomplete) {
    say(`not decided, ${id}: ${help}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 160)}`);
  }
  for (const id of ["color-contrast", "document-title", "html-has-lang", "page-has-heading-one"]) {
    if (!passes.some((rule) => rule.id === id)) say(`axe did not look at ${id}`);
  }

  await page.emulateMedia({ colorScheme: scheme, forcedColors: "active" });
  const wordless = await page.evaluate(() =>
    [...document.querySelectorAll(".badge, .tiles li, .verdict")]
      .filter((element) => !/[a-z]{3}/i.test(element.innerText))
      .map((element) => element.outerHTML.slice(0, 120)),
  );
  for (const html of wordless) say(`says something by colour alone: ${html}`);
  looks += 1;
  await context.close();
}
