// A headless Chromium for the stories of examples in tests/browser_stories, and the rule that its console stays clean.
//
//   node STORY.mjs URL BROWSER NAME FOLDER    leaves screenshots in FOLDER

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

// Plays `story` with `open(colorScheme, ready, path, prepare)`, which opens a page, lets `prepare(page)` change it before
// it loads, and waits for the selector `ready`; and `shot(page, who)`, which takes a screenshot. What fits `expected` may be
// said by a console.
export async function play(title, story, expected = /^$/) {
  const [url, browser, name, folder] = process.argv.slice(2);
  const profile = mkdtempSync(join(tmpdir(), "greenwire-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: execFileSync("which", [browser], { encoding: "utf8" }).trim(),
    headless: true,
    viewport: { width: 1200, height: 760 },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  context.setDefaultTimeout(60_000); // a busy machine takes its time

  const problems = [];
  const open = async (colorScheme, ready, path = "", prepare = async () => {}) => {
    const page = await context.newPage();
    page.on("console", (message) => {
      const matters = ["error", "warning"].includes(message.type()) && !expected.test(message.text());
      if (matters) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.emulateMedia({ colorScheme });
    await prepare(page);
    await page.goto(new URL(path, url).href);
    await page.waitForSelector(ready);
    return page;
  };
  const shot = async (page, who) => {
    await page.bringToFront();
    await page.screenshot({ path: join(folder, `${title}-${name}-${who}.png`) });
  };
  try {
    await story({ open, shot });
    assert.deepEqual(problems, [], "the console is clean");
  } catch (error) {
    console.log("the consoles said:", problems);
    throw error;
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
