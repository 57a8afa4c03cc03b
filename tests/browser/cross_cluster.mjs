// The story of the example `cross_cluster`: Ann is at greenwire's server, Ben at Node's, and they are together. Leaves
// cross_cluster-NAME-{ann,ben}.png. The further argument is the address of Node's server.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

const other = process.argv.at(-1);

await play("cross_cluster", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const ann = await open("light", ready, "?name=Ann");
  const ben = await open("dark", ready, `${other}?name=Ben`);
  const both = [ann, ben];
  const at = (page, server, name) => page.locator(`[data-server=${server}] li`, { hasText: name });
  const said = (page, text) => page.locator("#log p", { hasText: text }).waitFor();

  for (const page of both) {
    await at(page, "greenwire", "Ann").waitFor();
    await at(page, "Node", "Ben").waitFor();
  }

  // To all, from either server.
  for (const [page, text] of [[ann, "hello from greenwire €"], [ben, "hello from Node 😀"]]) {
    await page.fill("#text", text);
    await page.keyboard.press("Enter");
    for (const each of both) await said(each, text);
  }

  // A side is a room at both servers. Cid takes none.
  const cid = await open("light", ready, `${other}?name=Cid`);
  for (const page of both) await page.click("#tools [value=red]");
  for (const page of [...both, cid]) {
    await page.waitForFunction(() => document.querySelectorAll("aside li.red").length === 2);
  }
  await ann.fill("#text", "only for red");
  await ann.click("#to-side");
  for (const page of both) await said(page, "only for red");
  await ben.fill("#text", "for all again");
  await ben.keyboard.press("Enter");
  for (const page of [...both, cid]) await said(page, "for all again");
  assert.equal(await cid.locator("#log p", { hasText: "only for red" }).count(), 0);

  // Every browser and every server is asked, from either.
  for (const page of both) {
    await page.click("#roll-call");
    await page.getByText("3 answered").waitFor();
    await page.getByText("Ann at greenwire, Ben at Node, Cid at Node").waitFor();
    await page.click("#servers");
    await page.getByText(/Node \(process \d+, 2 here\) and greenwire \(process \d+, 1 here\)/).waitFor();
  }
  await shot(ann, "ann");
  await shot(ben, "ben");

  // Who goes is gone at both.
  await cid.close();
  for (const page of both) await page.waitForFunction(() => document.querySelectorAll("aside li").length === 2);
});
