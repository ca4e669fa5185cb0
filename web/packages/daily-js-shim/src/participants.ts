/** Participants as daily-js describes them: the person and the replica. */

export type TrackKind = "audio" | "video" | "screenVideo" | "screenAudio";

export interface TrackState {
  state: "playable" | "off" | "blocked";
  subscribed: boolean;
  track?: MediaStreamTrack;
  persistentTrack?: MediaStreamTrack;
  off?: { byUser: true };
  blocked?: { byDeviceMissing: true } | { byPermissions: true };
}

export interface Participant {
  session_id: string;
  user_id: string;
  user_name: string;
  local: boolean;
  owner: boolean;
  record: boolean;
  joined_at: Date;
  will_eject_at: Date;
  audio: boolean;
  video: boolean;
  screen: boolean;
  tracks: Record<TrackKind, TrackState>;
  permissions: { hasPresence: boolean; canSend: boolean; canAdmin: boolean; canReceive: { base: boolean } };
}

export function participant(
  sessionId: string,
  userId: string,
  userName: string,
  joinedAt: Date,
  tracks: Partial<Record<TrackKind, MediaStreamTrack | null>>,
): Participant {
  const [audio, video, screenVideo] = [tracks.audio, tracks.video, tracks.screenVideo].map(trackState) as [
    TrackState, TrackState, TrackState,
  ];
  return {
    session_id: sessionId,
    user_id: userId,
    user_name: userName,
    local: sessionId === LOCAL,
    owner: false,
    record: false,
    joined_at: joinedAt,
    will_eject_at: new Date(0),
    audio: audio.state === "playable",
    video: video.state === "playable",
    screen: screenVideo.state === "playable",
    tracks: { audio, video, screenVideo, screenAudio: trackState(null) },
    permissions: { hasPresence: true, canSend: true, canAdmin: false, canReceive: { base: true } },
  };
}

/** Session ids; `user_id` of the replica is how cvi-ui tells it from the person. */
export const LOCAL = "local";
export const REPLICA = "replica";
export const REPLICA_USER = "tavus-replica";

function trackState(track: MediaStreamTrack | null | undefined): TrackState {
  if (!track || !track.enabled) {
    return { state: "off", subscribed: true, off: { byUser: true }, ...(track && { persistentTrack: track }) };
  }
  return { state: "playable", subscribed: true, track, persistentTrack: track };
}
