import { Widget } from "./widget";

if (!customElements.get("visavis-widget")) customElements.define("visavis-widget", Widget);
