// The story of the examples `bottle_echo` and `flask_echo`: what a page says comes back. Leaves echo-NAME-{light,dark}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("echo", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const page = await open("light", ready);
  const texts = ["Hello, world", "é € 😀 <b>not bold</b>", "Is anybody there?"];
  for (const text of texts) {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
    await page.locator("#log .echo").filter({ hasText: `Your message was: ${text}` }).waitFor();
  }
  assert.equal(await page.locator("#log .sent").count(), texts.length);
  assert.equal(await page.locator("#log b").count(), 0, "what was said is text");

  // Not a websocket: told so.
  const answer = await page.request.get(new URL("websocket", page.url()).href);
  assert.equal(answer.status(), 400);
  await shot(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "dark");
});
