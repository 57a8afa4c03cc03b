// The story of tests/relay_browser.rs, played in a headless Chromium with two pages.
//
//   node relay.mjs URL BROWSER NAME FOLDER    leaves FOLDER/relay-NAME-{ann,ben}.png

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

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
context.setDefaultTimeout(20_000);

const problems = [];
try {
  const open = async (colorScheme) => {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    await page.waitForSelector("#state[data-state=open]");
    return page;
  };
  const samples = async (page) => Number(await page.textContent("#samples"));
  const samplesWithin = async (page, ms) => {
    const before = await samples(page);
    await page.waitForTimeout(ms);
    return (await samples(page)) - before;
  };
  const picture = (page) => page.evaluate(() => document.getElementById("graph").toDataURL());

  const ann = await open("light");
  const ben = await open("dark");

  // The graph moves, and holds what the boxes choose.
  await ann.waitForFunction(() => Number(document.getElementById("samples").textContent) >= 20);
  const before = await picture(ann);
  await ann.waitForTimeout(300);
  assert.notEqual(await picture(ann), before, "the graph moves");
  for (const series of ["cpu", "memory"]) {
    assert.match(await ann.textContent(`#value-${series}`), /^\d+\.\d %$/, `${series} has a value`);
  }
  await ann.check("#series-user");
  await ann.waitForFunction(() => document.getElementById("value-user").value.endsWith("%"));

  // Both see that there are two, and each line is seen by both.
  await ann.waitForFunction(() => document.getElementById("people").textContent === "2");
  const say = async (page, who, text) => {
    await page.fill("#name", who);
    await page.fill("#chat-input", text);
    await page.press("#chat-input", "Enter");
  };
  await say(ann, "Ann", "Is the build running? The CPU is rather busy.");
  await ben.waitForSelector("#chat-log li:has-text('rather busy')");
  await say(ben, "Ben", "That was me. <b>Done</b> in a minute.");
  await ann.waitForSelector("#chat-log li:has-text('<b>Done</b>')");
  assert.equal(await ann.locator("#chat-log li").count(), 2, "each line is seen once");
  await ann.bringToFront();
  await ann.screenshot({ path: join(folder, `relay-${name}-ann.png`) });
  await ben.bringToFront();
  await ben.screenshot({ path: join(folder, `relay-${name}-ben.png`) });

  // A rate is one page's own.
  await ben.selectOption("#rate", "1000");
  await ben.waitForTimeout(500);
  const [fast, slow] = await Promise.all([samplesWithin(ann, 3000), samplesWithin(ben, 3000)]);
  assert.ok(slow >= 1 && slow <= 5, `one a second, ${slow} in three seconds`);
  assert.ok(fast >= 12, `one every 100 ms, ${fast} in three seconds`);

  // Who leaves is forgotten.
  await ben.close();
  await ann.waitForFunction(() => document.getElementById("people").textContent === "1");

  assert.deepEqual(problems, [], "the console is clean");
} catch (error) {
  console.log("the consoles said:", problems);
  throw error;
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
