// Elements from names and children. Text is always text: nothing here reads markup.

export type Child = Node | string | null | undefined | false | Child[];
type Handler = (event: any) => void;
type Attributes = Record<string, string | number | boolean | Handler | null | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(key, "");
    else element.setAttribute(key, String(value));
  }
  add(element, children);
  return element;
}

export function add(element: Node, children: Child): void {
  if (Array.isArray(children)) for (const child of children) add(element, child);
  else if (typeof children === "string") element.appendChild(document.createTextNode(children));
  else if (children) element.appendChild(children);
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  add(element, children);
}

// Radio buttons that look like one: the arrow keys move, as everywhere.
export function choice(label: string, options: [string, string][], chosen: string, onchange: (value: string) => void): HTMLElement {
  const name = `choice-${(choice.count += 1)}`;
  return h("fieldset", { class: "choice" },
    h("legend", { class: "unseen" }, label),
    options.map(([value, text]) => h("label", {},
      h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }), h("span", {}, text))));
}
choice.count = 0;

export function copyButton(text: string, done: string, content: () => string | Promise<string>): HTMLButtonElement {
  const button = h("button", { type: "button", class: "quiet copy" }, text);
  button.addEventListener("click", async () => {
    const wanted = await content();
    try {
      await navigator.clipboard.writeText(wanted);
    } catch {
      copyBySelection(wanted);
    }
    button.textContent = done;
    announce(done);
    setTimeout(() => (button.textContent = text), 1400);
  });
  return button;
}

// Where a page is not served securely, browsers have no clipboard for it.
function copyBySelection(text: string): void {
  const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

const live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });

export function announcer(): HTMLElement {
  return live;
}

export function announce(text: string): void {
  live.textContent = text;
}
