if (navigator.language.startsWith("ko")) {
  document.documentElement.lang = "ko";
  for (const element of document.querySelectorAll("[data-ko]")) element.textContent = element.dataset.ko;
}
document.getElementById("wrong").hidden = !location.search.includes("wrong");
