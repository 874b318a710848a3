// A button that sends its form elsewhere and shows the answer below, without leaving what is being filled in:
// <button type="button" data-try="/address" data-into="id">; its data-with is sent as the field "which".
for (const button of document.querySelectorAll("button[data-try]")) {
  button.addEventListener("click", async () => {
    const place = document.getElementById(button.dataset.into);
    const fields = new URLSearchParams(new FormData(button.form));
    if (button.dataset.with) fields.set("which", button.dataset.with);
    button.disabled = true;
    place.textContent = "Trying ...";
    try {
      const answer = await fetch(button.dataset.try, { method: "POST", body: fields, cache: "no-store" });
      const text = await answer.text();
      if (answer.ok) place.innerHTML = text;
      else place.textContent = answer.status === 401 ? "You are not logged on any more." : text;
    } catch {
      place.textContent = "The console does not answer.";
    }
    button.disabled = false;
    button.focus();
  });
}
