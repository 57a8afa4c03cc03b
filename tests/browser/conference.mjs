// The story of the example `conference`: rooms, topics, and a backlog for one who comes late. Leaves
// conference-NAME-{ann,ben,late}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("conference", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const enter = async (colorScheme, nick) => {
    const page = await open(colorScheme, ready);
    await page.fill("#nick", nick);
    await page.press("#nick", "Enter");
    return page;
  };
  const join = async (page, room) => {
    await page.locator("#rooms button").getByText(room, { exact: true }).click();
    await page.locator("#name").getByText(room, { exact: true }).waitFor();
  };
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const hears = (page, text) => page.locator("#log li").filter({ hasText: text }).waitFor();

  const ann = await enter("light", "Ann");
  await ann.fill("#room", "Main hall");
  await ann.press("#room", "Enter");
  await hears(ann, "Ann is here");
  await ann.fill("#topic", "Green threads");
  await ann.press("#topic", "Enter");
  await hears(ann, "Green threads");

  const ben = await enter("dark", "Ben");
  await join(ben, "Main hall");
  assert.equal(await ben.inputValue("#topic"), "Green threads");
  await hears(ann, "Ben is here");
  await say(ann, "Is there a microphone for questions?");
  await hears(ben, "microphone");
  await say(ben, "Two. <b>One for each direction</b>.");
  await hears(ann, "<b>One for each");

  // What is said elsewhere is counted, and there when one looks.
  await ben.fill("#room", "Hallway");
  await ben.press("#room", "Enter");
  await ben.locator("#name").getByText("Hallway").waitFor();
  await say(ben, "Coffee is this way.");
  await say(ann, "The next talk begins.");
  await ben.waitForSelector('#rooms [data-name="Main hall"].unread button[data-unread="1"]');
  await shot(ben, "ben");
  await join(ben, "Main hall");
  await hears(ben, "The next talk begins.");
  await say(ben, "I am back.");
  await hears(ann, "I am back.");

  // Who comes late gets what was before.
  const late = await enter("light", "Cleo");
  await join(late, "Main hall");
  await hears(late, "microphone");
  await late.waitForSelector("#log .old");
  await say(late, "What have I missed?");
  await hears(ann, "What have I missed?");
  await shot(late, "late");

  // Without a nick nobody gets in, and who is told to go has gone.
  const nobody = await open("light", ready);
  await nobody.locator("#rooms button").first().click();
  await nobody.locator("#note").getByText("say your nick first").waitFor();
  await ben.click("#leave");
  await hears(ann, "Ben has left");
  await late.close();
  await hears(ann, "Cleo has left");
  await shot(ann, "ann");
});
