"""Is this video good enough? Every judgement in one place: what is wrong, what was found, and what would be right.

Most faults are told from a few glimpses, before anything takes long; sound and teeth need every picture.
"""

import numpy as np
from numpy.typing import NDArray

from visavis.replica import FPS
from visavis.replica.train import TrainingError
from visavis.replica.train.film import Film
from visavis.replica.train.survey import Glimpse, Survey
from visavis.replica.train.tracking import Track

USABLE_S = 20.0
"""Least time with the face in view and without cuts."""

SHORTEST_S, SHORT_S = 60.0, 120.0
"""Shorter videos are refused; below the second figure there are too few mouths for every sound."""

LOWEST_FPS, LOW_FPS = 15.0, 23.0
SMALLEST_EYES_PX, SMALL_EYES_PX = 40.0, 90.0
"""Distance of the outer eye corners; in a frame of 512 pixels it is about 110."""

MOST_TURNED, TURNED = 0.25, 0.12
"""How far the nose may be from the middle between the eyes: about 35 and 17 degrees."""

DARKEST, DARK = 40.0, 70.0
FLATTEST = 18.0
"""Least difference between a face's dark and bright parts."""

SEEN_SHARE = 0.8
ALONE_SHARE = 0.9
"""Shares of the glimpses that must show a face, and only one."""

QUIETEST_DB = -60.0
SPOKEN_SHARE = 0.15
"""Least share of the time in which somebody speaks."""

TEETH_BRIGHT, TEETH_FRAMES = 0.75, 5
"""Teeth are seen where the mouth is nearly as bright inside as its lips; in at least so many pictures."""

LATEST_FRAMES = 12
OUT_OF_SYNC_FRAMES = 2
"""Sound further from the lips than the first is not believed to belong to them; beyond the second it is moved."""

LEAST_FOLLOWING = 0.25
"""Correlation of lips and sound at the best offset below which the sound is not of this person."""


def check_film(film: Film) -> list[str]:
    """Judge what the file's head says. Raises `TrainingError`; returns warnings."""
    warnings = []
    if film.duration_s < SHORTEST_S:
        text = f"The video is {film.duration_s:.0f} seconds long; expected at least 1 minute, better 2 to 5."
        raise TrainingError("video_duration", text)
    if film.duration_s < SHORT_S:
        warnings.append(f"The video is {film.duration_s:.0f} seconds long; from 2 minutes on the lips are more exact.")
    if not film.sound:
        text = "The video has no sound; expected the person speaking, so that their lips can be learnt."
        raise TrainingError("other_quality_issue", text)
    if 0 < film.fps < LOWEST_FPS:
        text = f"The video has {film.fps:.0f} pictures a second; expected at least {LOWEST_FPS:.0f}, better 25 or more."
        raise TrainingError("video_fps", text)
    if 0 < film.fps < LOW_FPS:
        warnings.append(f"The video has {film.fps:.0f} pictures a second; with 25 or more the lips are more exact.")
    return warnings


def check_glimpses(survey: Survey, span: tuple[float, float]) -> list[str]:
    """Judge the pictures of the stretch to be used. Raises `TrainingError`; returns warnings."""
    seen = [glimpse for glimpse in survey.glimpses if span[0] <= glimpse.time_s <= span[1]]
    faces = [glimpse for glimpse in seen if glimpse.eyes_px > 0]
    if not faces:
        raise TrainingError("other_quality_issue", "No face was found; expected one person who looks at the camera.")
    alone = [glimpse for glimpse in faces if glimpse.faces == 1]
    if len(alone) < ALONE_SHARE * len(faces):
        text = (
            f"Several faces are seen in {1 - len(alone) / len(faces):.0%} of the pictures; expected one person alone."
        )
        raise TrainingError("other_quality_issue", text)
    if len(faces) < SEEN_SHARE * len(seen):
        text = f"A face is seen in only {len(faces) / len(seen):.0%} of the pictures; expected it in all of them."
        raise TrainingError("other_quality_issue", text)
    return [*check_size(faces), *check_angle(faces), *check_light(faces)]


def check_size(faces: list[Glimpse]) -> list[str]:
    """Judge how large the face is. Raises `TrainingError`; returns warnings."""
    eyes = float(np.median([face.eyes_px for face in faces]))
    found = f"The face is small: {eyes:.0f} pixels between the outer corners of the eyes"
    if eyes < SMALLEST_EYES_PX:
        text = f"{found}; expected at least {SMALLEST_EYES_PX:.0f}, better {SMALL_EYES_PX:.0f} or more. Come closer."
        raise TrainingError("other_quality_issue", text)
    return [f"{found}; with {SMALL_EYES_PX:.0f} or more the replica is sharper."] if eyes < SMALL_EYES_PX else []


def check_angle(faces: list[Glimpse]) -> list[str]:
    """Judge from where it is seen. Raises `TrainingError`; returns warnings."""
    turned = float(np.median([abs(face.turned) for face in faces]))
    if turned > MOST_TURNED:
        text = "The face is seen from the side; expected it to look into the camera."
        raise TrainingError("improper_camera_angle", text)
    return ["The face is turned to the side a little; from the front it looks best."] if turned > TURNED else []


def check_light(faces: list[Glimpse]) -> list[str]:
    """Judge how well it is lit. Raises `TrainingError`; returns warnings."""
    brightness = float(np.median([face.brightness for face in faces]))
    contrast = float(np.median([face.contrast for face in faces]))
    if brightness < DARKEST or contrast < FLATTEST:
        what = f"dark: {brightness:.0f} of 255" if brightness < DARKEST else f"flat: contrast {contrast:.0f} of 255"
        text = f"The face is too {what}; expected even light from the front."
        raise TrainingError("poor_lighting", text)
    return [f"The face is rather dark ({brightness:.0f} of 255); more light shows more."] if brightness < DARK else []


def check_shots(shots: list[slice], pictures: int) -> list[str]:
    """Judge how the video is cut. Raises `TrainingError`; returns warnings."""
    kept = sum(shot.stop - shot.start for shot in shots)
    if kept < USABLE_S * FPS or kept < 0.5 * pictures:
        text = f"Only {kept / FPS:.0f} of {pictures / FPS:.0f} seconds show the face without cuts or gaps"
        raise TrainingError("other_quality_issue", f"{text}; expected one take without cuts.")
    if len(shots) > 1:
        return [f"The video is cut into {len(shots)} pieces; one take without cuts gives calmer movement."]
    return []


def check_place(track: Track, shots: list[slice]) -> None:
    """Refuse videos whose shots show the face at different places or sizes. Raises `TrainingError`."""
    eyes = np.array([np.median(track.eyes_px[shot]) for shot in shots])
    if eyes.max() > 1.6 * eyes.min():
        text = f"The face is {eyes.max() / eyes.min():.1f} times as large in one part of the video as in another"
        raise TrainingError("other_quality_issue", f"{text}; expected one take from one place.")


def check_teeth(track: Track) -> None:
    """Refuse mouths that never show teeth: there would be nothing to put between the lips."""
    if int((track.inside > TEETH_BRIGHT).sum()) < TEETH_FRAMES:
        text = "The teeth are never seen; expected a person who speaks clearly and smiles once, with the mouth in view."
        raise TrainingError("teeth_not_visible", text)


def check_sound(loudness_db: NDArray[np.float64]) -> None:
    """Refuse videos in which nobody is heard; float64[T] is the level of every 40 ms in dB of full scale."""
    loudest = float(np.percentile(loudness_db, 98)) if len(loudness_db) else -120.0
    if loudest < QUIETEST_DB:
        text = f"Nobody is heard: the sound reaches only {loudest:.0f} dB; expected the person speaking."
        raise TrainingError("other_quality_issue", text)
    spoken = float((loudness_db > loudest - 25).mean())
    if spoken < SPOKEN_SHARE:
        text = f"Somebody speaks in only {spoken:.0%} of the time; expected the person speaking for a minute or more."
        raise TrainingError("other_quality_issue", text)


def check_sync(offset: int, following: float) -> list[str]:
    """Judge how far the sound is behind the lips (frames), and their correlation there."""
    if following < LEAST_FOLLOWING:
        text = "The lips do not move with the sound; expected the voice of the person who is seen, in time with them."
        raise TrainingError("other_quality_issue", text)
    if abs(offset) > LATEST_FRAMES:
        text = f"The sound is {abs(offset) * 40} ms {'behind' if offset > 0 else 'before'} the picture"
        raise TrainingError("other_quality_issue", f"{text}; expected at most {LATEST_FRAMES * 40}.")
    if abs(offset) > OUT_OF_SYNC_FRAMES:
        side = "behind" if offset > 0 else "before"
        return [f"The sound is about {abs(offset) * 40} ms {side} the picture; it was moved to where it belongs."]
    return []
