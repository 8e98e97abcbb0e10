// A fault's name in the table of units fills the form in; nothing is started by it.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-scenario]");
  if (!chip) return;
  emitEvent("mw_scenario", { unit: chip.dataset.unit, scenario: chip.dataset.scenario });
  document.querySelector(".mw-sim-start")?.scrollIntoView({ block: "nearest" });
});
