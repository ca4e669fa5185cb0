const QUIET_DB = -60;
const LOUD_DB = -12;
const TICK_MS = 50;

/**
 * Measure how loud a track is.
 *
 * @param report called about 20 times a second with 0 (quiet) to 1 (loud)
 * @returns stops measuring
 */
export function measureLevel(track: MediaStreamTrack, report: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const level = (10 * Math.log10(power + 1e-12) - QUIET_DB) / (LOUD_DB - QUIET_DB);
    report(Math.min(1, Math.max(0, level)));
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
