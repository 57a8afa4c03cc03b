// The story of the example `live_cpu_graph`: two pages see the line move on. Leaves live_cpu_graph-NAME-{light,dark}.png.

import { play } from "./stage.mjs";

await play("live_cpu_graph", async ({ open, shot }) => {
  for (const scheme of ["light", "dark"]) {
    const page = await open(scheme, "#state[data-state=open]");
    await page.waitForFunction(() => document.getElementById("graph").dataset.points >= 20);
    await shot(page, scheme);
  }
});
