// The story of the example `stream_relay`: what the upstream says, both pages show. Leaves stream_relay-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("stream_relay", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const newest = (page) => page.locator("#log li:first-child").textContent();
  await ann.waitForSelector("#log li:nth-child(4)");
  const line = await newest(ann);
  await ben.locator("#log li").filter({ hasText: line }).waitFor();
  for (const page of [ann, ben]) {
    await page.waitForSelector("#log li:nth-child(8)");
    await page.bringToFront();
    const lights = await page.evaluate(() => {
      const { width, height } = document.querySelector("#map");
      return document.querySelector("#map").getContext("2d").getImageData(0, 0, width, height).data.some((byte) => byte > 0);
    });
    assert.ok(lights, "there is a map");
    await page.waitForTimeout(500); // until it has slid in, for the picture only
    await shot(page, page === ann ? "ann" : "ben");
  }
});
