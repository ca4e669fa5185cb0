/** @jsxImportSource preact */
import { render } from "preact";

import { App } from "./app";
import "./styles/base.css";
import "./styles/house.css";
import "./styles/parts.css";
import "./styles/forms.css";
import "./styles/conversation.css";
import "./styles/replica.css";

const root = document.getElementById("studio");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
