/** Takes the green, RGB (0, 255, 155), out of a video by WebGL, so that the replica floats over whatever is behind. */

const VERTEX = `
attribute vec2 corner;
varying vec2 place;
void main() {
  place = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}`;

// Distance in chroma alone, so that shadows on the green are green too; what is left of green at the edges is greyed.
const FRAGMENT = `
precision mediump float;
uniform sampler2D picture;
varying vec2 place;
const vec3 KEY = vec3(0.0, 1.0, 0.608);
vec2 chroma(vec3 c) {
  float y = dot(c, vec3(0.2126, 0.7152, 0.0722));
  return vec2((c.b - y) / 1.8556, (c.r - y) / 1.5748);
}
void main() {
  vec3 c = texture2D(picture, place).rgb;
  float distance = length(chroma(c) - chroma(KEY));
  float alpha = smoothstep(0.14, 0.30, distance);
  float spill = max(0.0, c.g - max(c.r, c.b)) * (1.0 - smoothstep(0.30, 0.55, distance));
  c.g -= spill;
  gl_FragColor = vec4(c * alpha, alpha);
}`;

export class KeyedPicture {
  readonly #gl: WebGLRenderingContext;
  #stopped = false;

  /**
   * Draw `video` into `canvas`, frame by frame, until `close`.
   *
   * @throws Error where the browser has no WebGL
   */
  constructor(
    readonly video: HTMLVideoElement,
    readonly canvas: HTMLCanvasElement,
  ) {
    const gl = canvas.getContext("webgl", { premultipliedAlpha: true, alpha: true, antialias: false });
    if (!gl) throw new Error("canvas: this browser has no WebGL, which removing the green screen needs");
    this.#gl = gl;
    this.#prepare();
    this.#next();
  }

  close(): void {
    this.#stopped = true;
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #prepare(): void {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(type);
      if (!shader) return; // the context is lost
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  }

  #next(): void {
    if (this.#stopped) return;
    const draw = () => {
      this.#draw();
      this.#next();
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(draw);
    else requestAnimationFrame(draw);
  }

  #draw(): void {
    const { video, canvas } = this;
    if (this.#stopped || !video.videoWidth) return;
    if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
    }
    const gl = this.#gl;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, video);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}
