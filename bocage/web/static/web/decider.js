/* Keyboard help for the list of proposals. Only while the focus is inside the list and not in a field, so that it never gets in the way:
   j and k go to the next and previous proposal, a chooses « Accepter » in the open form (nothing is sent). The page works without it. */
(function () {
  "use strict";
  var list = document.getElementById("liste");
  if (!list) return;
  /* Where the address names a part of the page, as that of a refused decision does, the browser goes there and not to the field at fault. */
  var wrong = list.querySelector("[autofocus]");
  if (wrong) window.addEventListener("load", function () { setTimeout(function () { wrong.focus(); }); });
  list.addEventListener("keydown", function (event) {
    var field = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
    if (field || event.ctrlKey || event.metaKey || event.altKey) return;
    var items = Array.prototype.slice.call(list.children);
    var here = items.indexOf(event.target.closest("li.prop"));
    if (event.key === "a") {
      var accept = list.querySelector(".open input[value=acceptee]");
      if (accept) { accept.checked = true; accept.focus(); event.preventDefault(); }
    } else if (event.key === "j" || event.key === "k") {
      var next = items[here + (event.key === "j" ? 1 : -1)];
      var target = next && next.querySelector("a.go, input[type=checkbox], input[type=radio]");
      if (target) { target.focus(); event.preventDefault(); }
    }
  });
})();
