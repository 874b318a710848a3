// Before anything is drawn: light or dark as chosen here last, else as the system has it.
"use strict";
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
