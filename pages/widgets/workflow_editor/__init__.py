"""The graphical editor of workflows: one TOML text, shown as a graph, forms and lines."""
