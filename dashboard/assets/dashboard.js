// What the pages do beyond links and forms. Everything here may be missing: the pages work without it.
"use strict";

(() => {
  const stepsMax = 32;

  /** Shows the buttons that need a script, wherever a new part of the page has come in. */
  function show() {
    for (const button of document.querySelectorAll("[data-add-step], [data-copy]")) {
      button.hidden = false;
    }
  }

  /** Adds an empty input after the last step, and goes to it. */
  function addStep(button) {
    const list = button.closest("form").querySelector("[data-steps]");
    const last = list.lastElementChild;
    if (list.children.length >= stepsMax || !last) return;
    const added = last.cloneNode(true);
    const input = added.querySelector("input");
    input.value = "";
    input.setAttribute("value", "");
    input.id = `step-${list.children.length + 1}`;
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-label", `Step ${list.children.length + 1}`);
    list.append(added);
    input.focus();
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(document.getElementById(button.dataset.copy));
      button.textContent = "Selected; copy it with your keyboard";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.matches("[data-add-step]")) addStep(button);
    if (button?.matches("[data-copy]")) void copy(button);
  });

  // Inputs that nobody filled in would only make the address long.
  document.addEventListener(
    "submit",
    (event) => {
      for (const input of event.target.querySelectorAll('input[name="step"], input[type="date"]')) {
        input.disabled = input.value.trim() === "";
      }
      setTimeout(() => {
        for (const input of event.target.querySelectorAll("input:disabled")) input.disabled = false;
      });
    },
    true,
  );

  document.addEventListener("htmx:afterSwap", show);
  show();
})();
