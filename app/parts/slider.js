// A slider that tells its value while it is being dragged: the next one once the last was answered, or half a second passed.
const WAIT = 500;
const SETTLED = 3000; // milliseconds after which another value is not a late answer, but what a preset asks for

function build(root, state) {
  root.replaceChildren();
  const label = document.createElement("label");
  const title = document.createElement("span");
  state.text = document.createElement("output");
  state.range = document.createElement("input");
  state.range.type = "range";
  label.append(title, state.text);
  root.append(label, state.range);
  title.textContent = state.data.label;
  for (const name of ["min", "max", "step"]) state.range[name] = state.data[name];
  state.range.setAttribute("aria-label", state.data.label);
  state.range.title = state.data.help;
  state.range.oninput = () => { state.moved = true; say(state); tell(state); };
  state.range.onpointerdown = () => { state.held = true; };
  state.range.onpointerup = state.range.onpointercancel = () => { state.held = false; };
}

const say = (state) => { state.text.textContent = `${state.range.value}${state.data.unit}`; };

function tell(state) {
  clearTimeout(state.timer);
  if (!state.moved) return;
  if (state.told !== undefined && performance.now() - state.when < WAIT) {
    state.timer = setTimeout(() => tell(state), 40);
    return;
  }
  [state.told, state.when, state.moved] = [Number(state.range.value), performance.now(), false];
  state.send("moved", state.told);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".latent-slider");
  const state = (root.state ??= {});
  state.send = setTriggerValue;
  const spec = JSON.stringify({ ...data, value: 0 });
  state.data = data;
  if (state.spec !== spec) {
    const value = state.range?.value;
    state.spec = spec;
    build(root, state);
    state.range.value = value ?? data.value;
  }
  const late = state.told !== undefined && !state.held && performance.now() - state.when > SETTLED;
  if (state.told === data.value || late) state.told = undefined; // answered, or never to be
  if (state.told === undefined && !state.moved) state.range.value = data.value;
  state.range.style.colorScheme = data.dark ? "dark" : "light";
  say(state);
  tell(state);
  return () => root.isConnected || clearTimeout(state.timer);
}
