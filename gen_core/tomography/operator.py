"""The projection of an image as a sparse matrix, made once a scanner: Joseph's method, and its exact transpose.

Each ray steps through the columns or the rows, whichever it crosses more steeply, and reads the image in between two pixel
middles by linear interpolation (Joseph 1982, https://doi.org/10.1109/TMI.1982.4307572). The adjoint is the transpose of the
very same matrix, so that the two match to rounding.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.memo import Memo
from gen_core.tomography.geometry import Geometry

if TYPE_CHECKING:
    import torch

Array = np.ndarray
MOST = 1 << 26  # entries of a matrix: half a GiB with its transpose


class Operator:
    """The projection of images (size, size) onto sinograms (views, bins): `forward`, and its transpose `adjoint`."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.matrix = matrix(geometry)
        self.transposed = self.matrix.T.tocsr()

    @property
    def size(self) -> int:
        """Pixels along a side of the image."""
        return self.geometry.size

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return sum(int(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes) for m in (self.matrix, self.transposed))

    def forward(self, image: Array) -> Array:
        """Line integrals (views, bins) of an image (size, size), or (k, views, bins) of several; float32."""
        flat = np.asarray(image, np.float32).reshape(-1, self.size**2)
        out = self.matrix @ flat[0] if len(flat) == 1 else np.ascontiguousarray((self.matrix @ flat.T).T)
        return np.asarray(out.reshape(*image.shape[:-2], *self.geometry.shape))

    def adjoint(self, sinogram: Array) -> Array:
        """The transpose: a sinogram (views, bins) smeared back over the image (size, size), or several; float32."""
        flat = np.asarray(sinogram, np.float32).reshape(-1, self.matrix.shape[0])
        out = self.transposed @ flat[0] if len(flat) == 1 else np.ascontiguousarray((self.transposed @ flat.T).T)
        return np.asarray(out.reshape(*sinogram.shape[:-2], self.size, self.size))

    @cached_property
    def norm(self) -> float:
        """The largest singular value, by 20 power iterations."""
        x = np.ones((self.size, self.size), np.float32)
        for _ in range(20):
            x = self.adjoint(self.forward(x))
            x /= np.linalg.norm(x)
        return float(np.linalg.norm(self.forward(x)))

    @cached_property
    def response(self) -> Array:
        """What `adjoint(forward(…))` does to each frequency (size, size), as numpy's fft2 orders them: at least 0.

        It is that of the middle pixel: exact where the scanner treats all pixels alike, else what a preconditioner needs.
        """
        n = self.size
        point = np.zeros((n, n), np.float32)
        point[n // 2, n // 2] = 1
        spread = np.roll(self.adjoint(self.forward(point)).astype(np.float64), (-(n // 2), -(n // 2)), (0, 1))
        return np.maximum(np.fft.fft2(spread).real, 0)

    @cached_property
    def wide_response(self) -> Array:
        """The same on twice the grid (2 size, 2 size), where nothing comes back in at the opposite edge: the response of a
        slice in the middle of emptiness. It is put together from two corner pixels, whose spread reaches across the slice.
        """
        n = self.size
        kernel = np.zeros((2 * n, 2 * n))
        for column in (0, n - 1):
            point = np.zeros((n, n), np.float32)
            point[0, column] = 1
            spread = self.adjoint(self.forward(point))
            rows, columns = np.arange(n)[:, None], np.arange(n)[None] - column
            kernel[rows, columns] = spread
            kernel[-rows, -columns] = spread
        middle = np.zeros((n, n), np.float32)
        middle[n // 2, n // 2] = 1
        at = float(np.linalg.norm(self.forward(middle))) ** 2
        if kernel[0, 0] < 0.5 * at:  # a detector too short for the corners: the middle pixel must do
            return np.repeat(np.repeat(self.response, 2, 0), 2, 1)
        return np.maximum(np.fft.fft2(kernel).real, 0)

    def torch(self, device: torch.device | str = "cpu") -> TorchOperator:
        """The same for batches of torch tensors, on a device; autograd goes through it."""
        return TorchOperator(self, device)


class TorchOperator:
    """Projection of tensors (..., size, size) onto (..., views, bins) and its transpose, both differentiable."""

    def __init__(self, operator: Operator, device: torch.device | str = "cpu") -> None:
        self.geometry, self.size = operator.geometry, operator.size
        self._forward, self._adjoint = _csr(operator.matrix, device), _csr(operator.transposed, device)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Line integrals (..., views, bins) of images (..., size, size)."""
        out = _apply(images.reshape(-1, self.size**2), self._forward, self._adjoint)
        return out.reshape(*images.shape[:-2], *self.geometry.shape)

    def adjoint(self, sinograms: torch.Tensor) -> torch.Tensor:
        """Sinograms (..., views, bins) smeared back (..., size, size)."""
        views, bins = self.geometry.shape
        out = _apply(sinograms.reshape(-1, views * bins), self._adjoint, self._forward)
        return out.reshape(*sinograms.shape[:-2], self.size, self.size)


def _csr(m: Any, device: torch.device | str) -> torch.Tensor:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its sparse tensors a beta
        rows, columns, values = (torch.from_numpy(part) for part in (m.indptr, m.indices, m.data))
        return torch.sparse_csr_tensor(rows, columns, values, m.shape, check_invariants=False).to(device)


def _apply(rows: torch.Tensor, there: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """rows (k, n) times the transpose of `there`; the gradient goes through `back`, its transpose."""
    import torch

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return (there @ x.T.contiguous()).T

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return _apply(gradient, back, there)

    return Product.apply(rows)


_KEPT = Memo(1 << 30, lambda made: made.nbytes)


def operator(geometry: Geometry) -> Operator:
    """The operator of a scanner; the last ones made are kept, within 1 GiB."""
    made: Operator = _KEPT.get(geometry, lambda: Operator(geometry))
    return made


def matrix(geometry: Geometry) -> Any:
    """Joseph's matrix (views * bins, size * size): scipy CSR, float32 with int32 indices."""
    from scipy.sparse import csr_array

    columns, weights = rays(geometry)
    used = weights > 0
    ends = np.concatenate([[0], np.cumsum(used.sum((1, 2)))]).astype(np.int32)
    return csr_array((weights[used], columns[used], ends), shape=(len(weights), geometry.size**2))


def project(image: Array, geometry: Geometry) -> Array:
    """The same product without keeping the matrix, view by view: for a scanner that is used once."""
    flat = np.asarray(image, np.float64).ravel()
    out = np.empty(geometry.shape)
    for i in range(len(geometry.angles)):
        columns, weights = rays(geometry.views(np.array([i])))
        out[i] = (flat[columns] * weights).sum((1, 2))
    return out


def rays(geometry: Geometry) -> tuple[Array, Array]:
    """For every ray, the pixels it reads and their weights, both (views * bins, size, 2); weight 0 where it leaves the image."""
    n = geometry.size
    angle, distance = (part.reshape(-1, 1) for part in geometry.rays())
    cos, sin = np.cos(angle), np.sin(angle)
    middle = np.arange(n) - (n - 1) / 2  # of a column in x, of a row in -y
    columns = np.empty((len(angle), n, 2), np.int32)
    weights = np.empty((len(angle), n, 2), np.float32)
    steep = np.abs(sin[:, 0]) > np.abs(cos[:, 0])  # the ray runs along x: it meets every column once
    for along_x in (True, False):
        which = np.flatnonzero(steep == along_x)
        c, s, d = cos[which], sin[which], distance[which]
        if along_x:
            place, length = (n - 1) / 2 - (d - middle * c) / s, 1 / np.abs(s)  # the row, counted from the top
            step, across = 1, n
        else:
            place, length = (d + middle * s) / c + (n - 1) / 2, 1 / np.abs(c)  # the column
            step, across = n, 1
        low = np.floor(place)
        share = place - low
        for side, weight in ((0, 1 - share), (1, share)):
            at = low + side
            inside = (at >= 0) & (at < n)
            columns[which, :, side] = np.where(inside, at, 0).astype(np.int32) * across + np.arange(n, dtype=np.int32) * step
            weights[which, :, side] = np.where(inside, weight * length, 0)
    return columns, weights


def half_plane(spectrum: Array) -> Array:
    """The half of a symmetric spectrum that `filtered` needs, float32."""
    return spectrum[:, : spectrum.shape[1] // 2 + 1].astype(np.float32)


def filtered(x: Array, spectrum: Array) -> Array:
    """An image, in the middle of emptiness twice as wide, times a spectrum in the frequency domain, float32."""
    from scipy import fft

    n = len(x)
    wide = (2 * n, 2 * n)
    return np.asarray(fft.irfft2(fft.rfft2(x, s=wide) * spectrum, s=wide)[:n, :n])
