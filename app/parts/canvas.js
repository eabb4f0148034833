// A square to draw charges in and values along its edges, with mouse, pen, finger or keys; told when the pointer is lifted,
// and while it moves each time once the last was answered.
const BAND = 20; // pixels of the edges
const WAIT = 500;
const SETTLED = 3000; // milliseconds after which other charges are not a late answer, but what a preset asks for
const NEAR = 14; // pixels within which a charge is taken hold of
const MOST = 256; // charges
const PLACES = 9; // values that an edge of a single one is split into, to be painted

const copy = ({ charges, edges }) => ({ charges: charges.map((one) => [...one]), edges: edges.map((one) => [...one]) });
const rounded = (value) => Math.round(value * 1000) / 1000;

// The colour of a value between -1 and 1.
function colour(stops, value) {
  const at = (Math.min(Math.max(value, -1), 1) + 1) / 2 * (stops.length - 1);
  const [a, b] = [stops[Math.floor(at)], stops[Math.ceil(at)]];
  const part = at - Math.floor(at);
  return a.map((one, i) => Math.round(one + part * (b[i] - one)));
}
const css = (rgb, alpha = 1) => `rgba(${rgb.join(",")},${alpha})`;

function build(root, state) {
  const canvas = document.createElement("canvas");
  state.canvas = canvas;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  root.replaceChildren(canvas);
  canvas.onpointerdown = (event) => press(state, event);
  canvas.onpointermove = (event) => move(state, event);
  canvas.onpointerup = canvas.onpointercancel = (event) => lift(state, event);
  canvas.onkeydown = (event) => key(state, event);
  canvas.onblur = () => { state.ring = undefined; paint(state); };
  state.watched = new ResizeObserver(() => paint(state));
  state.watched.observe(root);
}

// Where the pointer is: in lengths of the square, x to the right and y upwards, and over which edge if any.
function place(state, event) {
  const box = state.canvas.getBoundingClientRect();
  return spot(state, event.clientX - box.left, event.clientY - box.top);
}
function spot(state, left, top) {
  const inner = state.side - 2 * BAND;
  const [x, y] = [(left - BAND) / inner, 1 - (top - BAND) / inner];
  const beyond = [-x, x - 1, -y, y - 1]; // left, right, bottom, top
  const far = Math.max(...beyond);
  return { x, y, edge: far > 0 ? beyond.indexOf(far) : undefined };
}

function nearest(state, at) {
  const inner = state.side - 2 * BAND;
  const away = state.now.charges.map(([x, y]) => Math.hypot(x - at.x, y - at.y) * inner);
  const best = away.indexOf(Math.min(...away));
  return best >= 0 && away[best] <= NEAR ? best : undefined;
}

function press(state, event) {
  if (event.button) return;
  state.canvas.setPointerCapture(event.pointerId);
  begin(state, place(state, event));
  event.preventDefault();
}

// What the chosen tool does where the pointer goes down, or Enter is pressed.
function begin(state, at) {
  const { tool, charge, width, fixed } = state.data;
  state.held = { edge: at.edge };
  if (at.edge !== undefined) {
    if (!fixed) stroke(state, at);
    return;
  }
  const found = nearest(state, at);
  if (tool === "erase") {
    if (found !== undefined) state.now.charges.splice(found, 1);
    state.held.erase = true;
  } else if (found !== undefined) state.held.charge = found;
  else if (tool === "charge" && state.now.charges.length < MOST) {
    state.now.charges.push([rounded(at.x), rounded(at.y), charge, width]);
    state.held.charge = state.now.charges.length - 1;
  }
  changed(state);
}

function move(state, event) {
  const at = place(state, event);
  if (!state.held) {
    state.canvas.style.cursor = at.edge !== undefined ? (state.data.fixed ? "default" : "crosshair")
      : nearest(state, at) !== undefined ? (state.data.tool === "erase" ? "not-allowed" : "grab") : "crosshair";
    return;
  }
  if (state.held.edge !== undefined) {
    if (!state.data.fixed) stroke(state, at);
  } else if (state.held.erase) {
    const found = nearest(state, at);
    if (found !== undefined) { state.now.charges.splice(found, 1); changed(state); }
  } else if (state.held.charge !== undefined) {
    const clip = (value) => rounded(Math.min(Math.max(value, 0.02), 0.98));
    [state.now.charges[state.held.charge][0], state.now.charges[state.held.charge][1]] = [clip(at.x), clip(at.y)];
    changed(state);
  }
}

function lift(state) {
  state.held = undefined;
  tell(state);
}

// Values along the edge the stroke began on: what was passed over takes the value, the rest stays.
function stroke(state, at) {
  const { edges } = state.now;
  const values = (edges[state.held.edge] = edges[state.held.edge].length > 1 ? edges[state.held.edge]
    : Array(PLACES).fill(edges[state.held.edge][0] ?? 0)); // one value for all of it
  const along = state.held.edge < 2 ? at.y : at.x;
  const node = Math.round(Math.min(Math.max(along, 0), 1) * (values.length - 1));
  const from = state.held.node ?? node;
  for (let i = Math.min(from, node); i <= Math.max(from, node); i++) values[i] = state.data.value;
  state.held.node = node;
  changed(state);
}

function key(state, event) {
  const step = event.shiftKey ? 0.1 : 0.02;
  const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
  state.ring ??= { x: 0.5, y: 0.5 };
  const edge = BAND / (state.side - 2 * BAND) / 2;
  if (way) {
    state.ring.x = Math.min(Math.max(state.ring.x + way[0], -edge), 1 + edge);
    state.ring.y = Math.min(Math.max(state.ring.y + way[1], -edge), 1 + edge);
  } else if (event.key === "Enter" || event.key === "Delete" || event.key === "Backspace") {
    const inner = state.side - 2 * BAND;
    const at = spot(state, BAND + state.ring.x * inner, BAND + (1 - state.ring.y) * inner);
    if (event.key === "Enter") begin(state, at);
    else {
      const found = nearest(state, at);
      if (found !== undefined) state.now.charges.splice(found, 1);
      changed(state);
    }
    lift(state);
  } else return;
  paint(state);
  event.preventDefault();
}

function changed(state) {
  state.moved = true;
  paint(state);
  tell(state);
}

function tell(state) {
  clearTimeout(state.timer);
  if (!state.moved) return;
  if (state.told !== undefined && performance.now() - state.when < WAIT) {
    state.timer = setTimeout(() => tell(state), 40);
    return;
  }
  [state.told, state.when, state.moved] = [JSON.stringify(copy(state.now)), performance.now(), false];
  state.send("drawn", copy(state.now));
}

function paint(state) {
  const { canvas, data, now } = state;
  const width = canvas.parentElement.clientWidth;
  if (!width || !now) return;
  const side = (state.side = Math.min(width, data.most));
  const sharp = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(side * sharp);
  canvas.style.width = canvas.style.height = `${side}px`;
  const draw = canvas.getContext("2d");
  draw.scale(sharp, sharp);
  const inner = side - 2 * BAND;
  draw.fillStyle = data.ground;
  draw.fillRect(BAND, BAND, inner, inner);
  if (data.field) {
    const rows = data.field.length, top = data.limit || 1;
    const cell = inner / rows;
    data.field.forEach((row, i) => row.forEach((value, j) => { // the first row lies at the bottom
      if (!value) return;
      draw.fillStyle = css(colour(data.colours, value / top), Math.min(1, Math.abs(value / top) * 1.5));
      draw.fillRect(BAND + j * cell, BAND + inner - (i + 1) * cell, cell + 0.5, cell + 0.5);
    }));
  }
  const most = Math.max(1e-12, ...now.edges.flat().map(Math.abs), Math.abs(data.value));
  now.edges.forEach((values, edge) => {
    const upright = edge < 2;
    const [x, y] = [edge === 1 ? BAND + inner : edge === 0 ? 0 : BAND, edge === 2 ? BAND + inner : edge === 3 ? 0 : BAND];
    const across = upright ? draw.createLinearGradient(0, BAND + inner, 0, BAND) : draw.createLinearGradient(BAND, 0, BAND + inner, 0);
    values.forEach((value, i) => across.addColorStop(values.length > 1 ? i / (values.length - 1) : 0, css(colour(data.colours, value / most))));
    draw.globalAlpha = data.fixed ? 0.35 : 1;
    draw.fillStyle = across;
    draw.fillRect(x, y, upright ? BAND - 3 : inner, upright ? inner : BAND - 3);
    draw.globalAlpha = 1;
    draw.strokeStyle = data.line;
    draw.strokeRect(x + 0.5, y + 0.5, (upright ? BAND - 3 : inner) - 1, (upright ? inner : BAND - 3) - 1);
  });
  draw.strokeStyle = data.ink;
  draw.lineWidth = 1;
  draw.strokeRect(BAND - 0.5, BAND - 0.5, inner + 1, inner + 1);
  draw.textAlign = "center";
  draw.textBaseline = "middle";
  draw.font = `600 13px ${getComputedStyle(canvas).fontFamily}`;
  const strongest = Math.max(1e-12, ...now.charges.map((one) => Math.abs(one[2])));
  for (const [x, y, charge, wide] of now.charges) {
    const [left, top] = [BAND + x * inner, BAND + (1 - y) * inner];
    const radius = Math.max(8, Math.min(wide * inner, 40));
    draw.beginPath();
    draw.arc(left, top, radius, 0, 2 * Math.PI);
    const rgb = colour(data.colours, Math.sign(charge) * (0.4 + 0.6 * Math.abs(charge) / strongest));
    draw.fillStyle = css(rgb, 0.85);
    draw.fill();
    draw.stroke();
    draw.fillStyle = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128 ? "#fff" : "#000";
    draw.fillText(charge < 0 ? "−" : "+", left, top + 1);
  }
  if (state.ring) {
    draw.lineWidth = 2;
    draw.beginPath();
    draw.arc(BAND + state.ring.x * inner, BAND + (1 - state.ring.y) * inner, 9, 0, 2 * Math.PI);
    draw.stroke();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".latent-canvas");
  const state = (root.state ??= {});
  state.send = setTriggerValue;
  state.data = data;
  if (!state.canvas) build(root, state);
  state.canvas.setAttribute("aria-label", data.alt);
  state.canvas.setAttribute("aria-description", "Arrow keys move a ring, with Shift further; Enter draws there, Delete takes the charge below it away.");
  const given = JSON.stringify(copy(data));
  const late = state.told !== undefined && !state.held && performance.now() - state.when > SETTLED;
  if (state.told === given || late) state.told = undefined; // answered, or never to be
  if (state.told === undefined && !state.moved && !state.held) state.now = copy(data);
  paint(state);
  tell(state);
  return () => {
    if (root.isConnected) return;
    clearTimeout(state.timer);
    state.watched?.disconnect();
  };
}
