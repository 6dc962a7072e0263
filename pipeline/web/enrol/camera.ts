// The tablet's camera: opened for one step, closed whenever nobody needs it.

/** Width in pixels of the picture that is only looked at. */
const LOOK_PX = 640;
/** Longest side in pixels of a view that is enrolled. */
const VIEW_PX = 1280;

export class Camera {
  readonly video = document.createElement("video");
  private stream: MediaStream | null = null;
  private readonly canvas = document.createElement("canvas");
  private wanted = false;

  constructor() {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  /** Opens the front camera. Fails as `getUserMedia` does. */
  async open(): Promise<void> {
    this.wanted = true;
    // Without a secure context there is no such thing at all.
    if (!navigator.mediaDevices) throw new DOMException("no camera over plain http", "NotFoundError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } } });
    if (!this.wanted) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play().catch(() => undefined);
  }

  /** Closes it and leaves no picture behind. */
  close(): void {
    this.wanted = false;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
    this.canvas.width = this.canvas.height = 0;
  }

  get live(): boolean {
    return this.stream !== null && this.video.videoWidth > 0 && (this.stream.getVideoTracks()[0]?.readyState ?? "ended") === "live";
  }

  /** A small JPEG to be looked at; not mirrored. */
  look(): Promise<Blob | null> {
    return this.draw(LOOK_PX / this.video.videoWidth, 0.8);
  }

  /** A JPEG at the camera's own size to be enrolled; not mirrored. */
  view(): Promise<Blob | null> {
    return this.draw(VIEW_PX / Math.max(this.video.videoWidth, this.video.videoHeight), 0.92);
  }

  private draw(scale: number, quality: number): Promise<Blob | null> {
    const { video, canvas } = this;
    const shrink = Math.min(scale, 1);
    canvas.width = Math.round(video.videoWidth * shrink);
    canvas.height = Math.round(video.videoHeight * shrink);
    canvas.getContext("2d", { alpha: false })?.drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
  }
}

/** A file's bytes as base64. */
export async function base64Of(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
