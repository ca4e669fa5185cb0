/**
 * Stands in for `@daily-co/daily-js` under components that were written for Tavus. Name it in the bundler:
 *
 *     resolve: { alias: { "@daily-co/daily-js": "@visavis/daily-js-shim" } }   // Vite
 */

import { createCallObject, getCallInstance } from "./call_object";

export { CallObject, createCallObject, getCallInstance, type DailyEvent, type MeetingState } from "./call_object";
export type { Participant, TrackState } from "./participants";

const DailyIframe = {
  createCallObject,
  getCallInstance,
  supportedBrowser: () => ({
    supported: "RTCPeerConnection" in globalThis,
    mobile: /Mobi/.test(navigator.userAgent),
    name: "",
    version: "",
    supportsScreenShare: typeof navigator.mediaDevices?.getDisplayMedia === "function",
    supportsSfu: false,
    supportsVideoProcessing: false,
    supportsAudioProcessing: false,
  }),
  version: () => "0.92.2",
};

export default DailyIframe;
