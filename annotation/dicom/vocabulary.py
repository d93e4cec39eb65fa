"""The closed vocabularies: every word that may stand in a de-identified header.

A word that is not listed here is not copied, whatever it says. That is the whole defence against names in code strings,
so add words freely when a scanner uses them, but never a pattern that a name or a number could fit.
"""

from __future__ import annotations

import re


def words(*texts: str) -> frozenset[str]:
    """Split lists of words at commas; a word may hold blanks, as ``HELICAL MODE`` does."""
    return frozenset(word.strip() for text in texts for word in text.split(",") if word.strip())


IMAGE_TYPE_1 = words("ORIGINAL, DERIVED, MIXED")
IMAGE_TYPE_2 = words("PRIMARY, SECONDARY")
IMAGE_TYPE_REST = words(
    "AXIAL, LOCALIZER, MPR, OTHER, NONE, MIXED, VOLUME, MIP, MIN_IP, AVERAGE, MEAN, RESAMPLED, REFORMATTED, CURVED",
    "M, P, R, I, SE, GR, EP, IR, FFE, TFE, TSE, T1, T2, PD, T2_STAR, T2*, STIR, FLAIR, FSE, SPIN ECHO, GRADIENT ECHO",
    "ND, NORM, DIS2D, DIS3D, FM, FIL, MFSPLIT, FS, CSA, CSA MPR, CSA RESAMPLED, CSAPARALLEL, CSA MIP, CSA 3D, MIP_SAG",
    "M_SE, M_FFE, M_IR, M_TSE, M_FE, M_T1, M_T2, R_SE, R_FFE, R_IR, P_SE, PHASE, MAG, MAGNITUDE, REAL, IMAGINARY",
    "DIFFUSION, ADC, TRACEW, FA, PERFUSION, RCBF, RCBV, MTT, TTP, TMAX, PROJECTION IMAGE, SUBTRACTION, SUB, ADDITION",
    "WATER, FAT, IN_PHASE, OUT_PHASE, OPP_PHASE, W, F, IP, OP, DIXON, FAT_FRACTION, COMPOSED, COMP_SP, COMP_AN, MOSAIC",
    "CT_SOM5 SPI, CT_SOM5 SEQ, CT_SOM5 TOP, CT_SOM5 MPR, CT_SOM7 SPI, CT_SOM7 SEQ, CT_SOM7 TOP, CT_SOM8 SPI, DE",
    "HELIX, VOLUME_SCAN, STANDARD, NORMAL, STACK, DYNAMIC, DET, MULTIECHO, SNAPSHOT, MONO, MONOENERGETIC, VMI, IVI",
    "ADAPTIVE, TRUE, WHOLE BODY, SPINE, FLUOROSCOPY, CT_FLUORO, INTERVENTION, BIOPSY, SCREEN SAVE",
)
MODALITY = words("CT, MR")
BODY_PART = words(
    "SPINE, LSPINE, LUMBAR SPINE, LUMBAR, LUMBOSACRAL, LS SPINE, LSSPINE, L SPINE, L-SPINE, SSPINE, TSPINE, CSPINE",
    "TLSPINE, LWS, BWS, HWS, SACRUM, COCCYX, SIJOINT, SI JOINT, PELVIS, ABDOMEN, ABDOMENPELVIS, CHEST, THORAX",
    "WHOLEBODY, CERVICAL SPINE, THORACIC SPINE, WHOLE BODY, WHOLE SPINE, WHOLESPINE, HIP, KNEE, SHOULDER, ELBOW",
    "WRIST, HAND, ANKLE, FOOT, LEG, ARM, FEMUR, EXTREMITY, NECK, HEAD, BRAIN, SKULL, HEADNECK, LIVER, PANCREAS",
    "KIDNEY, PROSTATE, HEART, BREAST, BACK, BUTTOCK, TORSO, TRUNK, UNKNOWN",
)
PATIENT_POSITION = words("HFP, HFS, HFDR, HFDL, FFP, FFS, FFDR, FFDL, LFP, LFS, RFP, RFS, AFDR, AFDL, PFDR, PFDL")
LATERALITY = words("L, R, B, U")
YES_NO = words("YES, NO")
Y_N = words("Y, N")
LOSSY = words("00, 01")
LOSSY_METHOD = words("ISO_10918_1, ISO_14495_1, ISO_15444_1, ISO_15444_15, ISO_13818_2")
PHOTOMETRIC = words("MONOCHROME1, MONOCHROME2")
RESCALE_TYPE = words("HU, US, OD, MGML, Z_EFF, ED, EDW, HU_MOD, PCT, NORMALIZED, SIGNAL INTENSITY (UNITLESS)")
VOI_FUNCTION = words("LINEAR, LINEAR_EXACT, SIGMOID")

SCANNING_SEQUENCE = words("SE, IR, GR, EP, RM")
SEQUENCE_VARIANT = words("SK, MTC, SS, TRSS, SP, MP, OSP, NONE, OTHER, OLD, INT, SE")
SCAN_OPTIONS = words(
    "PER, RG, CG, PPG, FC, PFF, PFP, SP, FS, WE, IR, SAT1, SAT2, SAT3, SAT_GEMS, FAST_GEMS, EDR_GEMS, NPW, SFS, FATSAT",
    "FCSLICE, FCFREQ, SAT, FS_GEMS, IDEAL, TRF_GEMS, ACC_GEMS, PFA, FSS_GEMS, MP_GEMS, WATER, FAT, DIXON, SPIR, SPAIR",
    "HELICAL MODE, AXIAL MODE, SCOUT MODE, CINE MODE, SMARTSTEP, BIOPSY MODE, HELIX, AXIAL, SURVIEW, DOM, TOPOGRAM",
    "SPIRAL, SEQUENCE, SPIRAL MODE, SEQUENCE MODE, FLUORO, HELICAL_CT, NORMAL_CT, SCANOSCOPE, DVOLUME_CT, CCT",
)
ACQUISITION_TYPE = words("2D, 3D, 1D")
PHASE_DIRECTION = words("ROW, COL, COLUMN, OTHER, MIXED")
NUCLEUS = words("1H, H, H1, 1H1")
ROTATION = words("CW, CC")
EXPOSURE_MODULATION = words("NONE, ANGULAR, LONGITUDINAL, XYZ_EC, XYZ, XY, XY_EC, Z_EC, Z, FIXED, AEC, ADAPTIVE")

VOLUMETRIC = words("VOLUME, SAMPLED, DISTORTED, MIXED")
VOLUME_TECHNIQUE = words("NONE, MAX_IP, MIN_IP, VOLUME_RENDER, SURFACE_RENDER, MPR, CURVED_MPR, MIXED")
COMPLEX_COMPONENT = words("MAGNITUDE, PHASE, REAL, IMAGINARY, MIXED")
ACQUISITION_CONTRAST = words(
    "T1, T2, T2_STAR, STIR, PROTON_DENSITY, DIFFUSION, FLOW_ENCODED, FLUID_ATTENUATED, PERFUSION, TAGGING, TOF",
    "UNKNOWN, MIXED",
)
ECHO_PULSE = words("SPIN, GRADIENT, BOTH")
CONTENT_QUALIFICATION = words("PRODUCT, RESEARCH, SERVICE")
SPECTRAL_SUPPRESSION = words("NONE, FAT, WATER, FAT_AND_WATER, SILICON_GEL, MIXED, STIR, SPIR, SPAIR")
SPECTRAL_EXCITATION = words("NONE, WATER, FAT, BOTH")
CONTRAST_PHASE = words("PRE_CONTRAST, POST_CONTRAST, IMMEDIATE, DYNAMIC, STEADY_STATE, DELAYED, ARTERIAL, VENOUS")
DIFFUSION_DIRECTION = words("DIRECTIONAL, BMATRIX, ISOTROPIC, NONE")
CT_ACQUISITION = words("SEQUENCED, SPIRAL, CONSTANT_ANGLE, STATIONARY, FREE")
RECONSTRUCTION = words("FILTER_BACK_PROJ, ITERATIVE")
DIMENSION_TYPE = words("3D, 3D_TEMPORAL, TILED_FULL, TILED_SPARSE")
PRESENTATION_SHAPE = words("IDENTITY, INVERSE")

# A stack is named by its number only; StackID may hold any text.
STACK_ID = re.compile(r"\d{1,2}")
# Rows then columns, each by one to three of the six body directions.
PATIENT_ORIENTATION = re.compile(r"[LRAPHF]{1,3}")
# Kernels of five makers: a short letter group and two digits, or one of these words. No name and no record number fits.
KERNEL = re.compile(
    r"STANDARD|STND|SOFT|BONE|BONEPLUS|DETAIL|LUNG|EDGE|CHST|ULTRA|SHARP|SMOOTH|HD|ASIR|VEO"
    r"|[ABCDETUHIJQX][a-z]{0,2}[1-9]\d[a-z]{0,2}"  # Siemens: B30s, Br40d, I31f
    r"|FC[0-9]\d"  # Canon: FC08, FC30
    r"|[ABCDE]|[EIUY][ABCD]"  # Philips: B, YA
    r"|[1-9]"  # iterative strength
)
# Names of pulse sequences: a technique's letters, and at Siemens 2d or 3d with numbers, as in *tse2d1_15 or *tir2d1rs9.
SEQUENCE_NAME = re.compile(
    r"\*?(?:tse|se|spc|spcir|tir|tirm|tfl|fl|fi|me|de|re|ep|h)[23]d\d{0,2}(?:(?:_|r|rs|t)\d{1,3}){0,2}"
    r"|SE|TSE|FSE|FSE-XL|FRFSE|FRFSE-XL|STIR|TIR|IR|FIR|FGRE|SPGR|GRE|FFE|TFE|T1TFE|GRASE|EPI|MEMP|CUBE|VISTA|SPACE",
)
# What is written for a maker, by a word of the source; the source's own spelling is not kept.
MAKERS = {
    "siemens": "SIEMENS",
    "ge": "GE MEDICAL SYSTEMS",
    "philips": "PHILIPS",
    "toshiba": "TOSHIBA",
    "toshiba_mec": "TOSHIBA",
    "canon": "CANON",
    "hitachi": "HITACHI",
    "fujifilm": "FUJIFILM",
    "uih": "UNITED IMAGING",
    "neusoft": "NEUSOFT",
    "esaote": "ESAOTE",
    "spondy": "SPONDY PHANTOM",
}
CONTRAST_AGENT = "CONTRAST"
REMOVED = "REMOVED"
# Generated series descriptions: modality, plane, and weighting or localiser (`series.title` makes no others).
TITLE_PLANES = words("sagittal, axial, coronal, oblique, image")
TITLE_WEIGHTINGS = words("T1, T2, STIR, PD, localiser")
TITLES = (
    {f"CT {plane}" for plane in (*TITLE_PLANES, "scout")}
    | {f"MR {plane}" for plane in TITLE_PLANES}
    | {f"MR {plane} {weighting}" for plane in TITLE_PLANES for weighting in TITLE_WEIGHTINGS}
)
# How the header says what was done to it.
METHOD = "Spondy allow-list 1"
METHOD_CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
}
CODING_SCHEME = "DCM"

# Every text that `deid` may write; the leak scan passes over a value that is one of these as a whole.
WRITTEN: frozenset[str] = frozenset().union(
    *(value for value in list(globals().values()) if isinstance(value, frozenset)),
    MAKERS.values(),
    TITLES,
    METHOD_CODES,
    METHOD_CODES.values(),
    {CONTRAST_AGENT, REMOVED, METHOD, CODING_SCHEME, "MODIFIED", "MONOCHROME"},
)
