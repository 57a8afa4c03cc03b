// The story of the example `slides`: who turns the page turns it for all. Leaves slides-NAME-{first,second,late}.png.

import { play } from "./stage.mjs";

await play("slides", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [first, second] = [await open("light", ready), await open("dark", ready)];
  const shows = (page, number) => page.waitForSelector(`main section.now:nth-child(${number})`);

  await first.keyboard.press("ArrowRight");
  await shows(first, 2);
  await shows(second, 2);
  await second.click("#next");
  await second.click("#next");
  await second.click("#next");
  await shows(first, 5);
  // Who comes late finds the open page.
  const late = await open("light", ready);
  await shows(late, 5);
  await first.waitForTimeout(400); // until the pages lie flat, for the pictures only
  await shot(first, "first");
  await first.keyboard.press("ArrowLeft");
  await first.keyboard.press("ArrowLeft");
  for (const page of [second, late]) await shows(page, 3);
  await second.waitForTimeout(400);
  await shot(second, "second");
  await shot(late, "late");
});
