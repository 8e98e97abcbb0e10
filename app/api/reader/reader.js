// Shows openapi.json without any library, so that it reads on a machine without internet.

const METHODS = ["get", "post", "put", "delete", "patch"];

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

// One line for a schema: "list of TagRow", "number or null", "text: good | bad".
function words(schema) {
  if (!schema || Object.keys(schema).length === 0) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(words).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `list of ${words(schema.items ?? schema.prefixItems?.[0])}`;
  if (schema.type === "object" && schema.additionalProperties) {
    return `object of ${words(schema.additionalProperties)}`;
  }
  const bounds = ["minimum", "maximum"].filter((key) => key in schema).map((key) => `${key} ${schema[key]}`);
  return [schema.format ?? schema.type ?? "anything", ...bounds].join(", ");
}

function table(heads, rows) {
  const head = element("tr", "", ...heads.map((text) => element("th", text)));
  const body = rows.map((cells) => element("tr", "", ...cells.map((text) => element("td", text))));
  return element("table", "", head, ...body);
}

function content(part) {
  return Object.entries(part?.content ?? {}).map(([type, { schema }]) => `${type}: ${words(schema)}`).join("; ");
}

function operation(method, path, described) {
  const title = element("summary", "", element("b", method.toUpperCase()), element("code", path), " ");
  const [first, ...rest] = (described.description ?? described.summary ?? "").split("\n\n");
  title.append(element("span", first));
  const box = element("details", "", title, ...rest.map((text) => element("p", text)));
  const parameters = described.parameters ?? [];
  if (parameters.length > 0) {
    const rows = parameters.map((one) => [
      one.name, one.in + (one.required ? ", required" : ""), words(one.schema),
      one.schema?.default === undefined ? "" : JSON.stringify(one.schema.default), one.description ?? "",
    ]);
    box.append(table(["Parameter", "Where", "Type", "Default", ""], rows));
  }
  if (described.requestBody) box.append(element("p", `Body: ${content(described.requestBody)}`));
  const answers = Object.entries(described.responses ?? {});
  box.append(table(["Answer", "Meaning", "Body"], answers.map(([status, one]) => [status, one.description, content(one)])));
  box.dataset.words = `${method} ${path} ${described.description ?? ""}`.toLowerCase();
  return box;
}

// The docstring's "Attributes:" as a map of field to meaning.
function meanings(text) {
  const found = new Map();
  let key = "";
  for (const line of text.split("\n")) {
    const begun = line.match(/^\s*(\w+): (.*)$/);
    if (begun) key = begun[1];
    if (key) found.set(key, `${found.get(key) ?? ""} ${begun ? begun[2] : line.trim()}`.trim());
  }
  return found;
}

function shape(name, schema) {
  const required = new Set(schema.required ?? []);
  const [about, attributes] = (schema.description ?? "").split("Attributes:");
  const meaning = meanings(attributes ?? "");
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => [
    key, words(value) + (required.has(key) ? "" : ", optional"), meaning.get(key) ?? "",
  ]);
  const box = element("details", "", element("summary", "", element("code", name)), element("p", about.trim()));
  box.append(rows.length > 0 ? table(["Field", "Type", "Meaning"], rows) : element("p", words(schema)));
  return box;
}

function show(described) {
  document.getElementById("about").textContent = `Version ${described.info.version}. ${described.info.description}`;
  const groups = new Map();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const method of METHODS.filter((name) => methods[name])) {
      const group = methods[method].tags?.[0] ?? "other";
      groups.set(group, [...(groups.get(group) ?? []), operation(method, path, methods[method])]);
    }
  }
  const main = document.getElementById("operations");
  for (const [group, boxes] of groups) {
    main.append(element("section", "", element("h2", group[0].toUpperCase() + group.slice(1)), ...boxes));
  }
  const shapes = Object.entries(described.components?.schemas ?? {});
  document.getElementById("shapes").append(...shapes.map(([name, schema]) => shape(name, schema)));
}

document.getElementById("filter").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase().split(/\s+/);
  for (const box of document.querySelectorAll("#operations details")) {
    box.hidden = !wanted.every((word) => box.dataset.words.includes(word));
  }
});

fetch("/api/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`))))
  .then(show)
  .catch((error) => {
    document.getElementById("about").textContent = `The description cannot be read (${error.message}); reload the page.`;
  });
