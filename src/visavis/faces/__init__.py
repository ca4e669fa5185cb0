"""What a picture shows of faces: where they are, their 478 points, their expression, and which pixels are a person.

    FaceDetector().find(frame)                 faces anywhere in a picture
    FaceLandmarker().measure(frame, near=...)  points, irises and expression of one face, followed from frame to frame
    PersonMask().of(frame)                     how much every pixel belongs to a person

The networks are Google's MediaPipe models (Apache-2.0); their constants (anchors, margins, subsets of points) are those
of the MediaPipe graphs. Frames are uint8[H, W, 3], BGR, upright; coordinates are pixels, x to the right and y down,
where (0, 0) is the upper left corner of the upper left pixel. An object belongs to one thread at a time.
"""

from visavis.faces.detector import FaceDetector, FoundFace
from visavis.faces.landmarker import FaceLandmarker, Landmarks
from visavis.faces.person_mask import PersonMask

__all__ = ["FaceDetector", "FaceLandmarker", "FoundFace", "Landmarks", "PersonMask"]
