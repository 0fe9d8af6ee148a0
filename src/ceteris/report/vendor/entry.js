// The parts of ECharts that the report draws with; see README.md for how the bundle is built from this.
import { init, use, version } from "echarts/core";
import { LineChart, CustomChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, CustomChart, GridComponent, TooltipComponent, SVGRenderer]);

export { init, version };
