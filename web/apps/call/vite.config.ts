import { defineConfig } from "vite";

import { app } from "../../vite.base";

export default defineConfig(app("../static/", "", "call"));
