// The story of the example `tictactoe`: two people play, one wins, one leaves. Leaves tictactoe-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("tictactoe", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const status = (page, text) => page.locator("#status").getByText(text).waitFor();
  const mark = (page, cell, mark) => page.waitForSelector(`#board button:nth-child(${cell}).${mark}`);
  const move = async (page, cell, by) => {
    await page.click(`#board button:nth-child(${cell})`);
    for (const each of [ann, ben]) await mark(each, cell, by);
  };

  await ann.click("#play");
  await status(ann, "Waiting for somebody");
  await ben.click("#play");
  await status(ann, "Your turn");
  await status(ben, "The other one thinks");
  assert.ok(await ben.isDisabled("#board button:nth-child(1)"), "it is not Ben's turn");
  await move(ann, 5, "X");
  await move(ben, 1, "O");
  await move(ann, 3, "X");
  await move(ben, 7, "O");
  await move(ann, 4, "X");
  await move(ben, 6, "O");
  await move(ann, 9, "X");
  await shot(ben, "ben");
  await move(ben, 2, "O");
  await move(ann, 8, "X");
  await status(ann, "A draw");

  // Again; now Ben begins, and wins.
  await ben.click("#play");
  await status(ben, "Waiting for somebody");
  await ann.click("#play");
  await move(ben, 1, "X");
  await move(ann, 3, "O");
  await move(ben, 5, "X");
  await move(ann, 6, "O");
  await move(ben, 9, "X");
  await status(ben, "wins: that is you");
  await status(ann, "you lose");
  for (const page of [ann, ben]) assert.equal(await page.locator("#board .line").count(), 3);
  await ann.waitForTimeout(500); // until it is drawn, for the picture only
  await shot(ann, "ann");

  // Who is left is told so.
  await ann.click("#play");
  await status(ann, "Waiting for somebody");
  await ben.click("#play");
  await status(ben, "The other one thinks");
  await ann.close();
  await status(ben, "has left");
  await ben.waitForFunction(() => document.querySelector("#people").textContent === "1");
});
