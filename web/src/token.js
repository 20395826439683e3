// Asks for an access token, where the predictor wants one.

/** The token, or null if the reader would rather not. */
export function askToken() {
  const dialog = document.getElementById("token-dialog");
  const input = document.getElementById("token");
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
