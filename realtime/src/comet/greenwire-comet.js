// The browser's side of greenwire's comet: reads the messages of channels, over whatever reaches the server.
//
//   <script src="https://comet.example/static/greenwire-comet.js"></script>
//   <script>
//     Comet.listenSingle("room", (message) => console.log(message.client_id, message.payload_raw));
//     Comet.init(id, key); // which the web application has from `create_client`
//   </script>
//
// A message is {id, client_id, payload, payload_raw, channelName, missed}: `payload` is what its text is as JSON, or
// null; `missed` is how many messages before it are lost for good, mostly 0.
//
// It is also `Shaveet`, with the names of shaveet.js, and may take its place. The script's address may say
// `?transports=cors,jsonp`, and, as in shaveet.js, `?disableCORS=1`.
(() => {
  "use strict";

  const FIRST_PAUSE = 1000, LONGEST_PAUSE = 30_000;
  // Longer than a server holds a poll.
  const PATIENCE = 60_000;
  const UNKNOWN_CLIENT = 4404;

  const clients = new Map(); // keys by ids
  const listeners = new Map(); // lists of functions by channels
  const cursors = new Map(); // the last message of each channel
  let transport = 0; // its place in `Comet.transports`
  let isOpen = false;
  let pause = FIRST_PAUSE;
  let timer = null;
  let stop = null; // ends what is under way

  const Comet = {
    // --- What pages use -----------------------------------------------------------------------------

    // In the order in which they are tried.
    transports: ["websocket", "eventsource", "cors", "jsonp"],

    // Is told "connecting", "open", "waiting" (for the next try), "unknown" (a client that the server does not know, or
    // a wrong key; nothing more is tried) or "closed"; and by which transport.
    onStatus: (_status, _transport) => {},

    // Begins to read for a client. One connection reads for all of them.
    init(id, key) {
      clients.set(String(id), String(key));
      Comet.client_ids = [...clients].map(([id, key]) => id + "_!!_" + key);
      restart();
    },

    // Calls the function with each message of a channel; "*" is all channels without listeners of their own.
    listenSingle(channel, listener) {
      Comet.listenBulk(channel, (messages) => messages.forEach((message) => guarded(listener, message)));
    },

    // Calls the function with a list of messages, as they come.
    listenBulk(channel, listener) {
      if (!listeners.has(channel)) listeners.set(channel, []);
      listeners.get(channel).push(listener);
    },

    // Forgets all listeners of a channel. The client stays subscribed.
    stopListening(channel) {
      listeners.delete(channel);
    },

    // Stops reading, until the next `init`.
    close() {
      clients.clear();
      Comet.client_ids = [];
      halt();
      tell("closed");
    },

    // --- Names of shaveet.js that pages may know ----------------------------------------------------

    client_ids: [],
    _baseURL: null,
    getBaseURL: () => Comet._baseURL,
    getEvents: () => restart(),
    onEvents: (channels) => dispatch(channels),
    onError: () => restart(),
  };

  // --- Transports: each begins to read and gives the function that ends it ----------------------------

  // They call `opened()`, `got(channels)`, and once at the end `ended()`, or `unknown()`.
  Comet.Transports = {
    websocket(on) {
      const socket = new WebSocket(Comet._baseURL.replace(/^http/, "ws") + "/websocket");
      socket.onopen = () => socket.send(hello());
      socket.onmessage = (event) => on.got(JSON.parse(event.data));
      socket.onclose = (event) => (event.code === UNKNOWN_CLIENT ? on.unknown() : on.ended());
      return () => {
        socket.onclose = socket.onmessage = socket.onopen = null;
        socket.close();
      };
    },

    eventsource(on) {
      const source = new EventSource(Comet._baseURL + "/events?" + query());
      source.onopen = on.opened;
      source.onmessage = (event) => on.got(JSON.parse(event.data));
      // It would connect again by itself; but after a lost network as often as it can.
      source.onerror = () => {
        source.close();
        on.ended();
      };
      return () => source.close();
    },

    // A poll that may read the answer of another site.
    cors(on) {
      const abort = new AbortController();
      const poll = async () => {
        const silence = setTimeout(() => abort.abort(), PATIENCE);
        // Without a type that another site would first have to allow.
        const response = await fetch(Comet._baseURL + "/message_updates", {
          method: "POST", body: hello(), signal: abort.signal, credentials: "omit",
        });
        const answer = response.ok ? await response.json() : null;
        clearTimeout(silence);
        if (response.status === 404) return on.unknown();
        if (answer === null) throw new Error(response.status);
        on.got(answer);
        if (!abort.signal.aborted) poll().catch(on.ended);
      };
      poll().catch(on.ended);
      return () => abort.abort();
    },

    // A poll whose answer is a script: for what else is forbidden.
    jsonp(on) {
      let script, silence, done = false;
      const name = "greenwire_comet_" + Math.random().toString(36).slice(2);
      const poll = () => {
        script = document.createElement("script");
        script.src = Comet._baseURL + "/message_updates?callback=" + name + "&" + query() + "&ts=" + Date.now();
        // Why it failed, a script does not tell.
        script.onerror = () => (end(), on.ended());
        silence = setTimeout(script.onerror, PATIENCE);
        document.head.append(script);
      };
      const clear = () => (clearTimeout(silence), script.remove());
      const end = () => {
        done = true;
        clear();
        window[name] = () => {}; // an answer may still come
      };
      window[name] = (channels) => {
        clear();
        on.got(channels);
        if (!done) poll();
      };
      poll();
      return end;
    },
  };

  function hello() {
    return JSON.stringify({ clients: Object.fromEntries(clients), cursors: Object.fromEntries(cursors) });
  }

  function query() {
    const pairs = Comet.client_ids.map((client) => ["client_id", client]);
    if (cursors.size > 0) pairs.push(["cursors", JSON.stringify(Object.fromEntries(cursors))]);
    return new URLSearchParams(pairs).toString();
  }

  // --- Connecting, and connecting again ---------------------------------------------------------------

  // Soon, so that several calls of `init` make one connection.
  function restart() {
    halt();
    timer = setTimeout(connect, 1);
  }

  function halt() {
    clearTimeout(timer);
    if (stop) stop();
    stop = null;
  }

  function connect() {
    halt();
    if (clients.size === 0) return;
    tell("connecting");
    // What comes of an attempt that is over is nobody's business.
    let current = true;
    const whileCurrent = (act) => (value) => current && act(value);
    const atEnd = (act) => whileCurrent(() => {
      halt();
      act();
    });
    const on = {
      opened: whileCurrent(opened),
      got: whileCurrent((channels) => {
        opened();
        dispatch(channels);
      }),
      ended: atEnd(retry),
      unknown: atEnd(() => tell("unknown")),
    };
    let end = () => {};
    stop = () => {
      current = false;
      end();
    };
    try {
      end = Comet.Transports[name()](on);
    } catch (_) {
      on.ended(); // this browser does not have it
    }
  }

  function opened() {
    if (isOpen) return;
    pause = FIRST_PAUSE;
    tell("open");
  }

  // What has worked is tried again after a while; otherwise the next transport, and after the last one all of them.
  function retry() {
    const wasOpen = isOpen;
    tell("waiting");
    if (!wasOpen && transport + 1 < Comet.transports.length) {
      transport += 1;
      timer = setTimeout(connect, 1);
      return;
    }
    if (!wasOpen) transport = 0;
    // Not all at the same time, after a restart of the server.
    timer = setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }

  function name() {
    return Comet.transports[transport].toLowerCase();
  }

  function tell(status) {
    isOpen = status === "open";
    guarded(Comet.onStatus, status, name());
  }

  // --- Messages ---------------------------------------------------------------------------------------

  function dispatch(channels) {
    for (const [channelName, updates] of Object.entries(channels)) {
      if (updates.length === 0) continue;
      const had = cursors.get(channelName);
      const messages = updates.map(([id, payload_raw, client_id]) => ({
        id, client_id, payload: parse(payload_raw), payload_raw, channelName, missed: 0,
      }));
      if (had !== undefined && !isOurJoining(messages[0])) messages[0].missed = Math.max(0, messages[0].id - had - 1);
      cursors.set(channelName, messages[messages.length - 1].id);
      for (const listener of listeners.get(channelName) || listeners.get("*") || []) guarded(listener, messages);
    }
  }

  // What came before a subscription is not missed.
  function isOurJoining({ payload, client_id }) {
    return payload?.type === "subscribe" && clients.has(client_id);
  }

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch (_) {
      return null;
    }
  }

  // What a page's function throws is for the page's console, and does not end the reading.
  function guarded(listener, ...values) {
    try {
      listener(...values);
    } catch (error) {
      console.error(error);
    }
  }

  // --- Where the server is ----------------------------------------------------------------------------

  const address = new URL(document.currentScript.src);
  Comet._baseURL = address.origin + address.pathname.replace(/\/static\/[^/]*$/, "");
  const asked = address.searchParams.get("transports");
  if (asked) Comet.transports = asked.split(",");
  else if (address.searchParams.get("disableCORS") === "1") Comet.transports = ["jsonp"];

  window.Comet = window.Shaveet = Comet;
})();
