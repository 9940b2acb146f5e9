/* The browser's side: what is asked of the server and when, the address as the state, links in tables. */
(function () {
  "use strict";
  const LOST_AFTER_MS = 60000;
  const inflight = new Map();
  let serial = 0;
  let lastAsk = "";

  function lost(on) {
    document.body.classList.toggle("bw-lost", on);
  }

  function outstanding() {
    const now = Date.now();
    for (const since of inflight.values()) {
      if (now - since < LOST_AFTER_MS) return true;
    }
    return false;
  }

  const send = window.fetch.bind(window);
  window.fetch = function (input, init) {
    const url = typeof input === "string" ? input : input.url || String(input);
    if (!url.includes("_dash-update-component")) return send(input, init);
    const key = ++serial;
    inflight.set(key, Date.now());
    return send(input, init).then(
      function (answer) {
        inflight.delete(key);
        if (answer.status === 401) {
          location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
        }
        lost(answer.status >= 500);
        return answer;
      },
      function (reason) {
        inflight.delete(key);
        lost(true);
        throw reason;
      }
    );
  };

  /* What a change of one filter takes out of the address, because it belonged to the old value. */
  const RESETS = {
    run: ["at", "from", "to", "p"],
    series: ["at"],
    size: ["at"],
    span: ["from", "to", "at", "p"],
  };
  const TIMES = ["from", "to"];

  function toAddress(name, value) {
    if (value === null || value === undefined) return "";
    if (Array.isArray(value)) return value.join(",");
    const text = String(value);
    return TIMES.includes(name) && text ? text.replace(" ", "T").replace(/Z?$/, "Z") : text;
  }

  function toControl(name, text, like) {
    if (Array.isArray(like)) return text ? text.split(",") : [];
    if (TIMES.includes(name)) return text ? text.replace("T", " ").replace("Z", "") : null;
    if (typeof like === "number") return Number(text);
    return text;
  }

  function go(path, params) {
    const text = params.toString();
    dash_clientside.set_props("url", { pathname: path, search: text ? "?" + text : "" });
  }

  function kept() {
    const now = new URLSearchParams(location.search);
    const params = new URLSearchParams();
    for (const name of ["run", "watch"]) {
      if (now.get(name)) params.set(name, now.get(name));
    }
    return params;
  }

  function pointed(click) {
    const point = click && click.points && click.points[0];
    const custom = point && point.customdata;
    return typeof custom === "string" ? custom : Array.isArray(custom) ? String(custom[0]) : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    bellwether: {
      /* One question at a time: a tick asks only if nobody waits for an answer and somebody looks. */
      ask: function (ticks, path, search) {
        const none = window.dash_clientside.no_update;
        const asked = {
          path: path,
          search: search || "",
          scheme: document.documentElement.getAttribute("data-mantine-color-scheme") || "light",
          narrow: window.matchMedia("(max-width: 47.99em)").matches,
        };
        const same = JSON.stringify(asked) === lastAsk;
        const by = window.dash_clientside.callback_context.triggered.map((one) => one.prop_id);
        const tick = by.length > 0 && by.every((one) => one.startsWith("tick."));
        if (same && !tick) return none;
        if (tick && (document.hidden || outstanding())) return none;
        lastAsk = JSON.stringify(asked);
        return Object.assign({ tick: tick, n: ticks }, asked);
      },

      /* From the controls to the address. */
      write: function (values, ids) {
        const params = new URLSearchParams(location.search);
        const touched = new Set();
        for (const one of window.dash_clientside.callback_context.triggered) {
          const found = /"name":"([a-z]+)"/.exec(one.prop_id);
          if (found) touched.add(found[1]);
        }
        const changed = [];
        values.forEach(function (value, i) {
          const name = ids[i].name;
          if (!touched.has(name)) return;
          const text = toAddress(name, value);
          const before = params.get(name) || ids[i].default;
          if (text === before) return;
          if (text === "" || text === ids[i].default) params.delete(name);
          else params.set(name, text);
          changed.push(name);
        });
        if (changed.length === 0) return window.dash_clientside.no_update;
        for (const name of changed) {
          const gone = RESETS[name] || (name === "p" ? [] : ["p"]);
          gone.filter((other) => !changed.includes(other)).forEach((other) => params.delete(other));
        }
        const text = params.toString();
        return text ? "?" + text : "";
      },

      /* From the address to the controls: the back button, and links within a page. */
      read: function (search, values, ids) {
        const params = new URLSearchParams(search || "");
        values.forEach(function (value, i) {
          const name = ids[i].name;
          const text = params.get(name) || ids[i].default;
          if (toAddress(name, value) !== text) {
            window.dash_clientside.set_props(ids[i], { value: toControl(name, text, value) });
          }
        });
        return undefined;
      },

      /* The navigation keeps run and watch list, and knows where it is. */
      nav: function (path, search, ids) {
        const params = new URLSearchParams(search || "");
        const rest = new URLSearchParams();
        for (const name of ["run", "watch"]) {
          if (params.get(name)) rest.set(name, params.get(name));
        }
        const text = rest.toString();
        const here = (id) => (id.path === "/" ? path === "/" : path === id.path || path.startsWith(id.path + "/"));
        return [
          ids.map((id) => id.path + (text ? "?" + text : "")),
          ids.map((id) => (here(id) ? "bw-nav bw-nav-here" : "bw-nav")),
        ];
      },

      /* A clicked point of a series: its documents, or its alert. */
      pick: function (click) {
        const custom = pointed(click);
        if (custom.startsWith("alert:")) go("/alerts/" + custom.slice(6), kept());
        if (custom.startsWith("at:")) {
          const params = new URLSearchParams(location.search);
          params.set("at", custom.slice(3).replace("+00:00", "Z"));
          params.delete("p");
          go(location.pathname, params);
        }
        return undefined;
      },

      /* A clicked cell of the heat map: its series. */
      open: function (click) {
        const custom = pointed(click);
        if (custom) {
          const params = kept();
          params.set("series", custom);
          go("/series", params);
        }
        return undefined;
      },
    },
  });

  /* Links in tables: text goes in as text, an address only if it is http, https or a page of ours. */
  const grids = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  grids.BwLink = function (props) {
    const url = (props.data && props.data.url) || "";
    const text = props.value === null || props.value === undefined ? "" : String(props.value);
    if (!/^https?:\/\//i.test(url)) return React.createElement("span", { dir: "auto" }, text);
    const link = { href: url, target: "_blank", rel: "noopener noreferrer nofollow", dir: "auto" };
    return React.createElement("a", link, text);
  };

  grids.BwPageLink = function (props) {
    const url = (props.data && props.data.url) || "";
    const text = props.value === null || props.value === undefined ? "" : String(props.value);
    if (!/^\/[a-z]/.test(url)) return React.createElement("span", { dir: "auto" }, text);
    const follow = function (event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const parts = url.split("?");
      go(parts[0], new URLSearchParams(parts[1] || ""));
    };
    return React.createElement("a", { href: url, onClick: follow, dir: "auto" }, text);
  };

  functions.bwSeverityOrder = function (severity) {
    return ["info", "warning", "critical"].indexOf(severity);
  };
})();
