// Asks for an access token, where the predictor wants one.

/** The token, or null if the reader would rather not; `why` is what the predictor said. */
export function askToken(why) {
  const dialog = document.getElementById("token-dialog");
  const input = document.getElementById("token");
  document.getElementById("token-why").textContent = why;
  return new Promise((resolve) => {
    const end = (value) => {
      input.value = "";
      dialog.onclose = null;
      dialog.close();
      resolve(value || null);
    };
    document.getElementById("token-use").onclick = () => end(input.value.trim());
    document.getElementById("token-cancel").onclick = () => end(null);
    input.onkeydown = (event) => { if (event.key === "Enter") end(input.value.trim()); };
    dialog.onclose = () => end(null);
    dialog.showModal();
  });
}
